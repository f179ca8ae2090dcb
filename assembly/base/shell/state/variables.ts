/** Variables: what each holds, whether programs get it, whether it may change; and what functions make local. */
import { compareBytes } from '../expand/paths';

/** Never changed, only replaced, so that a copy of the table is a copy of everything. */
export class Variable {
  constructor(
    /** Null: not set, though it may be exported or readonly. */
    public value: string | null,
    public exported: bool,
    public readonly: bool,
  ) {}
}

export class Variables {
  private table: Map<string, Variable> = new Map<string, Variable>();
  /** For each function that runs: what its local variables were outside; a null for one that was not there. */
  private scopes: Array<Map<string, Variable | null>> = [] as Map<string, Variable | null>[];
  /** Whatever programs get, made when asked for. */
  private environment: Map<string, string> | null = null;

  copy(): Variables {
    const copy = new Variables();
    const names = this.table.keys();
    const values = this.table.values();
    for (let i = 0; i < names.length; i++) copy.table.set(names[i], values[i]);
    for (let i = 0; i < this.scopes.length; i++) copy.scopes.push(copyScope(this.scopes[i]));
    copy.environment = this.environment;
    return copy;
  }

  find(name: string): Variable | null {
    return this.table.has(name) ? this.table.get(name) : null;
  }

  /** Null: not set. */
  get(name: string): string | null {
    return this.table.has(name) ? this.table.get(name).value : null;
  }

  /** Empty: null, or not set. */
  text(name: string): string {
    const value = this.get(name);
    return value === null ? '' : value;
  }

  isReadonly(name: string): bool {
    return this.table.has(name) && this.table.get(name).readonly;
  }

  /** The caller has looked whether it is readonly. */
  set(name: string, value: string | null, exports: bool = false): void {
    const before = this.find(name);
    const exported = exports || (before !== null && before.exported);
    this.put(name, new Variable(value, exported, before !== null && before.readonly));
  }

  export(name: string, exported: bool): void {
    const before = this.find(name);
    if (before === null) this.put(name, new Variable(null, exported, false));
    else this.put(name, new Variable(before.value, exported, before.readonly));
  }

  protect(name: string): void {
    const before = this.find(name);
    if (before === null) this.put(name, new Variable(null, false, true));
    else this.put(name, new Variable(before.value, before.exported, true));
  }

  unset(name: string): void {
    if (!this.table.has(name)) return;
    if (this.table.get(name).exported) this.environment = null;
    this.table.delete(name);
  }

  /** Puts back what `find` gave. */
  restore(name: string, variable: Variable | null): void {
    this.unset(name);
    if (variable !== null) this.put(name, variable);
  }

  private put(name: string, variable: Variable): void {
    if (variable.exported || (this.table.has(name) && this.table.get(name).exported)) this.environment = null;
    this.table.set(name, variable);
  }

  /** NAME to value of what is exported and set. Not to be changed. */
  exports(): Map<string, string> {
    const known = this.environment;
    if (known !== null) return known;
    const environment = new Map<string, string>();
    const names = this.table.keys();
    for (let i = 0; i < names.length; i++) {
      const variable = this.table.get(names[i]);
      if (variable.exported && variable.value !== null) environment.set(names[i], variable.value!);
    }
    this.environment = environment;
    return environment;
  }

  sortedNames(): Array<string> {
    const names = this.table.keys();
    names.sort(compareBytes);
    return names;
  }

  get inFunction(): bool {
    return this.scopes.length > 0;
  }

  enterFunction(): void {
    this.scopes.push(new Map<string, Variable | null>());
  }

  leaveFunction(): void {
    const scope = this.scopes.pop();
    const names = scope.keys();
    for (let i = 0; i < names.length; i++) this.restore(names[i], scope.get(names[i]));
  }

  /** From here to the end of the function it may be changed at will: that goes away with the function. */
  makeLocal(name: string): void {
    const scope = this.scopes[this.scopes.length - 1];
    if (!scope.has(name)) scope.set(name, this.find(name));
  }
}

function copyScope(scope: Map<string, Variable | null>): Map<string, Variable | null> {
  const copy = new Map<string, Variable | null>();
  const names = scope.keys();
  for (let i = 0; i < names.length; i++) copy.set(names[i], scope.get(names[i]));
  return copy;
}

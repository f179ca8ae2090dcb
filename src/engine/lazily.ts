type Asynchronous = { readonly [name: string]: (...args: never[]) => Promise<unknown> };

/** An object whose code is loaded when one of its methods, which all give promises, is first called. */
export function lazily<T>(names: readonly (keyof T & string)[], load: () => Promise<T>): T {
  let loaded: Promise<T> | undefined;
  const method =
    (name: string) =>
    async (...args: never[]) => {
      loaded ??= load();
      return ((await loaded) as Asynchronous)[name]!(...args);
    };
  return Object.fromEntries(names.map((name) => [name, method(name)])) as T;
}

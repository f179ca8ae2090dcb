import type { UsageRow } from '../../engine/engine.ts';
import type { Command } from '../command.ts';
import { renderTable } from '../format/table.ts';
import { compileTemplate } from '../format/template.ts';
import { humanSize } from '../format/units.ts';

export const command: Command = {
  usage: '',
  args: [0, 0],
  flags: [{ name: 'format', type: 'string', value: 'template', description: "Go template, 'table' or 'json'" }],
  examples: ['wctr system df', "wctr system df --format '{{.Type}} {{.Size}}'"],
  async run({ terminal, engine }, _args, flags) {
    const usage = await (await engine()).system.diskUsage();
    const rows = [
      usageRow('Images', usage.images),
      usageRow('Containers', usage.containers),
      usageRow('Local Volumes', usage.volumes),
      usageRow('Cache', usage.cache),
    ];
    const format = flags.string('format') ?? 'table';
    if (format === 'table') {
      const heads = ['TYPE', 'TOTAL', 'ACTIVE', 'SIZE', 'RECLAIMABLE'];
      terminal.out(
        renderTable(
          heads,
          rows.map((row) => [row.Type, row.TotalCount, row.Active, row.Size, row.Reclaimable]),
        ),
      );
    } else {
      const render = compileTemplate(format);
      for (const row of rows) terminal.out(`${render(row)}\n`);
    }
    return 0;
  },
};

function usageRow(type: string, usage: UsageRow) {
  const percent = usage.sizeBytes === 0 ? '' : ` (${Math.round((100 * usage.reclaimableBytes) / usage.sizeBytes)}%)`;
  return {
    Type: type,
    TotalCount: String(usage.total),
    Active: String(usage.active),
    Size: humanSize(usage.sizeBytes),
    Reclaimable: `${humanSize(usage.reclaimableBytes)}${percent}`,
  };
}

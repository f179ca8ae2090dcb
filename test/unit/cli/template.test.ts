import { describe, expect, it } from 'vitest';
import { compileTemplate } from '../../../src/cli/format/template.ts';

const DATA = {
  ID: 'abc',
  Tags: ['a:1', 'b:2'],
  Config: { Env: ['A=1'], Labels: { z: 'last', a: 'first' }, User: '' },
  Size: 5,
};

describe('Go templates', () => {
  it.each([
    ['json', JSON.stringify(DATA)],
    ['{{.ID}}', 'abc'],
    ['{{ .ID }}-{{ .Size }}', 'abc-5'],
    ['{{json .Config.Env}}', '["A=1"]'],
    ['{{.Config.Env}}', '[A=1]'],
    ['{{.Config.Labels}}', 'map[a:first z:last]'],
    ['{{index .Config.Labels "z"}}', 'last'],
    ['{{index .Tags 1}}', 'b:2'],
    ['{{join .Tags ", "}}', 'a:1, b:2'],
    ['{{.ID | upper | printf "<%s>"}}', '<ABC>'],
    ['{{range .Tags}}[{{.}}]{{end}}', '[a:1][b:2]'],
    ['{{range .Tags}}{{$.ID}} {{end}}', 'abc abc '],
    ['{{range $i, $tag := .Tags}}{{$i}}={{$tag}} {{end}}', '0=a:1 1=b:2 '],
    ['{{range $tag:=.Tags}}{{$tag}}{{.}} {{end}}', 'a:1a:1 b:2b:2 '],
    ['{{$n := len .Tags}}{{if eq $n 1}}one{{else if eq $n 2}}two{{else}}many{{end}}', 'two'],
    ['{{$last := ""}}{{range .Tags}}{{$last = .}}{{end}}{{$last}}', 'b:2'],
    ['{{with $tags := .Tags}}{{index $tags 0}}{{end}}', 'a:1'],
    ['{{if $tags := .Tags}}{{len $tags}} of {{$.ID}}{{end}}', '2 of abc'],
    ['{{if .Config.User}}u{{else}}root{{end}}', 'root'],
    ['{{if eq .Size 5}}five{{end}}', 'five'],
    ['{{with .Config}}{{.Env}}{{end}}', '[A=1]'],
    ['{{len .Tags}}', '2'],
    ['{{(index .Tags 0) | len}}', '3'],
    ['{{.Config.Labels.missing}}', '<no value>'],
    ['{{.ID}}\\t{{.Size}}', 'abc\t5'],
    ['a {{- .ID -}} b', 'aabcb'],
    ['{{/* nothing */}}x', 'x'],
    ['{{"quoted \\"text\\""}}', 'quoted "text"'],
    ['plain', 'plain'],
  ])('%s', (template, expected) => {
    expect(compileTemplate(template)(DATA)).toBe(expected);
  });

  it.each([
    ['{{.Nope}}', "can't evaluate field Nope"],
    ['{{nope .ID}}', 'function "nope" not defined'],
    ['{{if .ID}}x', 'a {{if}}, {{range}} or {{with}} has no {{end}}'],
    ['{{$nobody}}', 'undefined variable "$nobody"'],
    ['{{range .Tags}}{{$x := .}}{{end}}{{$x}}', 'undefined variable "$x"'],
    ['{{$nobody = 1}}', 'undefined variable "$nobody"'],
    ['{{if $a, $b := .Tags}}{{end}}', 'too many declarations'],
    ['{{end}}', 'unexpected {{end}}'],
    ['{{.ID', 'unclosed action'],
    ['{{}}', 'missing value for command'],
    ['{{(.ID}}', 'unclosed left paren'],
    ['{{.ID | }}', 'missing value for command'],
  ])('refuses %s', (template, why) => {
    expect(() => compileTemplate(template)(DATA)).toThrowError(
      expect.objectContaining({ code: 'invalid-argument', message: `template parsing error in "${template}": ${why}` }),
    );
  });
});

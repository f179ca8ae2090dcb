;; A `_start` for ruby.wasm, which npm ships as a library for JavaScript hosts, without a main; wasm-merge merges the two.
;; It also stands for the host's table of Ruby values: a handle is the value itself.
;; argv: the program, Ruby code to run as main, then what ruby itself is given. No data of its own: all memory is ruby's.
;; For checkpoints, `wizer.initialize` does the same; a `_start` after it only runs the code argv[1] then holds, with ARGV
;; what follows it.
(module
  (import "env" "memory" (memory 0))
  (import "env" "_initialize" (func $initialize))
  (import "env" "cabi_realloc" (func $realloc (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)))
  (import "env" "ruby-init: func(args: list<string>) -> ()" (func $ruby_init (param $list i32) (param $length i32)))
  (import "env" "rb-eval-string-protect: func(str: string) -> tuple<handle<rb-abi-value>, s32>"
    (func $evaluate (param $text i32) (param $length i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))

  (func (export "resource_new_rb-abi-value") (param i32) (result i32) (local.get 0))
  (func (export "resource_get_rb-abi-value") (param i32) (result i32) (local.get 0))

  (func $alloc (param $size i32) (result i32)
    (call $realloc (i32.const 0) (i32.const 0) (i32.const 4) (local.get $size)))

  (func $length (param $text i32) (result i32)
    (local $end i32)
    (local.set $end (local.get $text))
    (loop $next
      (if (i32.load8_u (local.get $end))
        (then
          (local.set $end (i32.add (local.get $end) (i32.const 1)))
          (br $next))))
    (i32.sub (local.get $end) (local.get $text)))

  (global $initialised (mut i32) (i32.const 0))
  (global $count (mut i32) (i32.const 0))
  ;; argv: pointers to texts that lie one after the other.
  (global $argv (mut i32) (i32.const 0))
  (global $bytes (mut i32) (i32.const 0))

  (func $read_args
    (local $sizes i32)
    (local.set $sizes (call $alloc (i32.const 8)))
    (drop (call $args_sizes_get (local.get $sizes) (i32.add (local.get $sizes) (i32.const 4))))
    (global.set $count (i32.load (local.get $sizes)))
    (global.set $bytes (i32.load offset=4 (local.get $sizes)))
    (global.set $argv (call $alloc (i32.shl (global.get $count) (i32.const 2))))
    (drop (call $args_get (global.get $argv) (call $alloc (global.get $bytes)))))

  (func $evaluate_first
    (local $text i32)
    (local.set $text (i32.load offset=4 (global.get $argv)))
    (drop (call $evaluate (local.get $text) (call $length (local.get $text)))))

  (func $begin
    (local $list i32) (local $at i32) (local $i i32) (local $text i32)
    (call $initialize)
    (call $read_args)
    ;; A list<string> is (pointer, length) pairs. Ruby reads C strings, so each takes its NUL along. argv[1] is left out.
    (local.set $list (call $alloc (i32.shl (global.get $count) (i32.const 3))))
    (local.set $at (local.get $list))
    (loop $each
      (if (i32.ne (local.get $i) (i32.const 1))
        (then
          (local.set $text (i32.load (i32.add (global.get $argv) (i32.shl (local.get $i) (i32.const 2)))))
          (i32.store (local.get $at) (local.get $text))
          (i32.store offset=4 (local.get $at) (i32.add (call $length (local.get $text)) (i32.const 1)))
          (local.set $at (i32.add (local.get $at) (i32.const 8)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $each (i32.lt_u (local.get $i) (global.get $count))))
    (call $ruby_init (local.get $list) (i32.sub (global.get $count) (i32.const 1))))

  (func $digit (param $value i32) (result i32)
    (i32.add (local.get $value)
      (select (i32.const 48) (i32.const 87) (i32.lt_u (local.get $value) (i32.const 10)))))

  ;;  ARGV.replace(["6f6e6500..."].pack("H*").force_encoding("UTF-8").split("\0", -1)[0...-1])
  (func $replace_arguments
    (local $from i32) (local $end i32) (local $code i32) (local $at i32)
    (local.set $from (i32.load (global.get $argv)))
    (local.set $end (i32.add (local.get $from) (global.get $bytes)))
    (local.set $from
      (if (result i32) (i32.gt_u (global.get $count) (i32.const 2))
        (then (i32.load offset=8 (global.get $argv)))
        (else (local.get $end))))
    (local.set $code
      (call $alloc (i32.add (i32.const 128) (i32.shl (i32.sub (local.get $end) (local.get $from)) (i32.const 1)))))
    (i64.store (local.get $code) (i64.const 0x65722e5647524120))
    (i64.store offset=8 (local.get $code) (i64.const 0x225b286563616c70))
    (local.set $at (i32.add (local.get $code) (i32.const 16)))
    (block $done
      (loop $each
        (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
        (i32.store8 (local.get $at) (call $digit (i32.shr_u (i32.load8_u (local.get $from)) (i32.const 4))))
        (i32.store8 offset=1 (local.get $at) (call $digit (i32.and (i32.load8_u (local.get $from)) (i32.const 15))))
        (local.set $at (i32.add (local.get $at) (i32.const 2)))
        (local.set $from (i32.add (local.get $from) (i32.const 1)))
        (br $each)))
    (i64.store (local.get $at) (i64.const 0x286b6361702e5d22))
    (i64.store offset=8 (local.get $at) (i64.const 0x6f662e29222a4822))
    (i64.store offset=16 (local.get $at) (i64.const 0x6f636e655f656372))
    (i64.store offset=24 (local.get $at) (i64.const 0x54552228676e6964))
    (i64.store offset=32 (local.get $at) (i64.const 0x70732e2922382d46))
    (i64.store offset=40 (local.get $at) (i64.const 0x22305c222874696c))
    (i64.store offset=48 (local.get $at) (i64.const 0x2e305b29312d202c))
    (i64.store offset=56 (local.get $at) (i64.const 0x2020295d312d2e2e))
    (drop (call $evaluate (local.get $code)
      (i32.sub (i32.add (local.get $at) (i32.const 64)) (local.get $code)))))

  (func (export "wizer.initialize")
    (call $begin)
    (call $evaluate_first)
    (global.set $initialised (i32.const 1)))

  (func (export "_start")
    (if (global.get $initialised)
      (then
        (call $read_args)
        (call $replace_arguments))
      (else (call $begin)))
    (call $evaluate_first)))

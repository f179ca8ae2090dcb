;; A `_start` for ruby.wasm, which npm ships as a library for JavaScript hosts, without a main; wasm-merge merges the two.
;; argv: the program, Ruby code to run as main, then what ruby itself is given. No data of its own: all memory is ruby's.
(module
  (import "env" "memory" (memory 0))
  (import "env" "_initialize" (func $initialize))
  (import "env" "cabi_realloc" (func $realloc (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)))
  (import "env" "ruby-init: func(args: list<string>) -> ()" (func $ruby_init (param $list i32) (param $length i32)))
  (import "env" "rb-eval-string-protect: func(str: string) -> tuple<handle<rb-abi-value>, s32>"
    (func $evaluate (param $text i32) (param $length i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))

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

  (func (export "_start")
    (local $sizes i32) (local $count i32) (local $pointers i32) (local $list i32) (local $at i32) (local $i i32)
    (local $text i32)
    (call $initialize)
    (local.set $sizes (call $alloc (i32.const 8)))
    (drop (call $args_sizes_get (local.get $sizes) (i32.add (local.get $sizes) (i32.const 4))))
    (local.set $count (i32.load (local.get $sizes)))
    (local.set $pointers (call $alloc (i32.shl (local.get $count) (i32.const 2))))
    (drop (call $args_get (local.get $pointers) (call $alloc (i32.load offset=4 (local.get $sizes)))))
    ;; A list<string> is (pointer, length) pairs. Ruby reads C strings, so each takes its NUL along. argv[1] is left out.
    (local.set $list (call $alloc (i32.shl (local.get $count) (i32.const 3))))
    (local.set $at (local.get $list))
    (loop $each
      (if (i32.ne (local.get $i) (i32.const 1))
        (then
          (local.set $text (i32.load (i32.add (local.get $pointers) (i32.shl (local.get $i) (i32.const 2)))))
          (i32.store (local.get $at) (local.get $text))
          (i32.store offset=4 (local.get $at) (i32.add (call $length (local.get $text)) (i32.const 1)))
          (local.set $at (i32.add (local.get $at) (i32.const 8)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $each (i32.lt_u (local.get $i) (local.get $count))))
    (call $ruby_init (local.get $list) (i32.sub (local.get $count) (i32.const 1)))
    (local.set $text (i32.load offset=4 (local.get $pointers)))
    (drop (call $evaluate (local.get $text) (call $length (local.get $text))))))

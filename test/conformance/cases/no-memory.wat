(; case { "exit": 21 } ;)
;; No memory at all: every pointer points nowhere, which is the guest's error and not the host's.
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (func (export "_start")
    (if (i32.ne (call $args (i32.const 0) (i32.const 4)) (i32.const 21)) (then unreachable))
    (if (i32.ne (call $random (i32.const 0) (i32.const 1)) (i32.const 21)) (then unreachable))
    (if (call $random (i32.const 0) (i32.const 0)) (then unreachable))
    (if (call $yield) (then unreachable))
    (call $exit (call $args (i32.const 0) (i32.const 4)))))

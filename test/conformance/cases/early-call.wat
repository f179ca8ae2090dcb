(; case { "stdout": "late", "exit": 0 } ;)
;; The start section runs before anybody can know the memory: EFAULT, no crash; later calls work.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\04\00\00\00")
  (data (i32.const 16) "late")
  (global $early (mut i32) (i32.const -1))
  (func $init (global.set $early (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (start $init)
  (func (export "_start")
    (if (i32.ne (global.get $early) (i32.const 21)) (then unreachable))
    (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable))))

(; case { "exit": 5 } ;)
;; A guest that catches everything cannot undo its exit.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (func (export "_start")
    (try (do (call $exit (i32.const 5))) (catch_all))
    (try (do (call $exit (i32.const 6))) (catch_all))
    unreachable))

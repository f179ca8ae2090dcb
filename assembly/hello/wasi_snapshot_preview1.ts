// The file's name is the import's module name: AssemblyScript takes it from there, which spares a decorator.
export declare function fd_write(fd: i32, iovs: usize, iovsLength: i32, written: usize): i32;
export declare function proc_exit(code: i32): void;

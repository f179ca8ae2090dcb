/** What the kernel imports of its host; module "host", named after this file. Described in index.ts. */
export declare function now(): f64;
export declare function random(pointer: usize, length: u32): void;
export declare function layer_read(layer: u32, offsetLo: u32, offsetHi: u32, pointer: usize, length: u32): i32;
// biome-ignore format: one import a line
export declare function journal_write(generation: u32, offsetLo: u32, offsetHi: u32, pointer: usize, length: u32): i32;
export declare function hostfs_lookup(mount: u32, dir: u32, name: usize, length: u32, attr: usize): i32;
export declare function hostfs_forget(mount: u32, node: u32, count: u32): void;
export declare function hostfs_getattr(mount: u32, node: u32, attr: usize): i32;
export declare function hostfs_setattr(mount: u32, node: u32, valid: u32, attr: usize): i32;
export declare function hostfs_readlink(mount: u32, node: u32, pointer: usize, capacity: u32): i32;
// biome-ignore format: one import a line
export declare function hostfs_create(mount: u32, dir: u32, name: usize, length: u32, mode: u32, attr: usize): i32;
export declare function hostfs_mkdir(mount: u32, dir: u32, name: usize, length: u32, mode: u32, attr: usize): i32;
// biome-ignore format: one import a line
export declare function hostfs_symlink(mount: u32, dir: u32, name: usize, length: u32, target: usize, targetLength: u32, attr: usize): i32;
export declare function hostfs_link(mount: u32, node: u32, dir: u32, name: usize, length: u32, attr: usize): i32;
export declare function hostfs_unlink(mount: u32, dir: u32, name: usize, length: u32): i32;
export declare function hostfs_rmdir(mount: u32, dir: u32, name: usize, length: u32): i32;
// biome-ignore format: one import a line
export declare function hostfs_rename(mount: u32, dirA: u32, nameA: usize, lengthA: u32, dirB: u32, nameB: usize, lengthB: u32): i32;
export declare function hostfs_open(mount: u32, node: u32, flags: u32): i32;
export declare function hostfs_release(mount: u32, handle: u32): void;
export declare function hostfs_fsync(mount: u32, handle: u32, dataOnly: u32): i32;
// biome-ignore format: one import a line
export declare function hostfs_readdir(mount: u32, node: u32, cookieLo: u32, cookieHi: u32, pointer: usize, capacity: u32): i32;
export declare function hostfs_statfs(mount: u32, pointer: usize): i32;

//! Tells whether the C library's malloc is its own.

use std::ffi::{c_char, c_void};
use std::ptr;

unsafe extern "C" {
    fn free(block: *mut c_void);
    fn malloc(size: usize) -> *mut c_void;
    fn malloc_usable_size(block: *mut c_void) -> usize;
    fn realpath(path: *const c_char, resolved: *mut c_char) -> *mut c_char;
}

const ASKED: usize = 1001;
/// glibc gives multiples of 16 less 8, and musl what it is asked for; mimalloc has blocks of 1024 bytes.
const OWN: [usize; 2] = [ASKED, 1016];

pub fn is_own() -> bool {
    // SAFETY: both blocks are of the C library, and each is freed once; it may be asked how much of one may be used.
    unsafe {
        // What the C library allocates itself must be freed by the same allocator.
        free(realpath(c"/".as_ptr(), ptr::null_mut()).cast());
        let block = malloc(ASKED);
        let usable = malloc_usable_size(block);
        free(block);
        OWN.contains(&usable)
    }
}

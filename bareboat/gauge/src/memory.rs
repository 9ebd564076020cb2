//! What the compiler calls for blocks of memory, and a C library would have. Volatile, for the compiler would make of a
//! plain loop a call of the very function that it is in.

#[no_mangle]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    for place in 0..length {
        to.add(place).write_volatile(*from.add(place));
    }
    to
}

#[no_mangle]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    if (to as usize) < from as usize {
        return memcpy(to, from, length);
    }
    for place in (0..length).rev() {
        to.add(place).write_volatile(*from.add(place));
    }
    to
}

#[no_mangle]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, length: usize) -> *mut u8 {
    for place in 0..length {
        to.add(place).write_volatile(byte as u8);
    }
    to
}

#[no_mangle]
unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, length: usize) -> i32 {
    for place in 0..length {
        let (a, b) = (
            one.add(place).read_volatile(),
            other.add(place).read_volatile(),
        );
        if a != b {
            return i32::from(a) - i32::from(b);
        }
    }
    0
}

//! What comes through the sockets of the kernel.

pub fn wire(bytes: &[u8]) {
    odesync_kernel::fuzzing::wire(bytes);
}

pub fn messages(bytes: &[u8]) {
    odesync_kernel::fuzzing::messages(bytes);
}

//! A kernel and a client in one process, which speak over real sockets.

mod cells;
mod client;
mod interactions;
mod load;
mod raw;
mod wire;

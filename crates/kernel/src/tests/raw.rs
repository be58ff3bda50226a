//! A peer that writes bytes to a kernel's socket, and reads them or not.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The bytes of a connection in both directions.
pub trait ByteStream: Read + Write {}

impl<T: Read + Write> ByteStream for T {}

/// A connection to one of a kernel's sockets.
pub struct RawPeer(pub Box<dyn ByteStream>);

impl RawPeer {
    pub fn connect(address: &str) -> Self {
        let patience = Some(Duration::from_secs(60));
        #[cfg(unix)]
        if let Some(path) = address.strip_prefix("ipc://") {
            // Where too many knock at once, one has to wait.
            let stream = std::os::unix::net::UnixStream::connect(path).unwrap();
            stream.set_read_timeout(patience).unwrap();
            stream.set_write_timeout(patience).unwrap();
            return Self(Box::new(stream));
        }
        let stream = TcpStream::connect(address.strip_prefix("tcp://").unwrap()).unwrap();
        stream.set_read_timeout(patience).unwrap();
        stream.set_write_timeout(patience).unwrap();
        Self(Box::new(stream))
    }

    /// The greeting of ZMTP 3.0 and the command READY of a socket of this type.
    pub fn hello(socket_type: &str) -> Vec<u8> {
        let mut bytes = vec![0; 64];
        (bytes[0], bytes[9], bytes[10]) = (0xff, 0x7f, 3);
        bytes[12..16].copy_from_slice(b"NULL");
        let length = socket_type.len() as u8;
        bytes.extend([4, 22 + length]);
        bytes.extend(b"\x05READY\x0bSocket-Type\0\0\0");
        bytes.push(length);
        bytes.extend(socket_type.as_bytes());
        bytes
    }

    /// Connects to a kernel's iopub and subscribes to all of it; reads the handshake and the welcome, and nothing more.
    pub fn subscribed(address: &str) -> Self {
        let mut peer = Self::connect(address);
        let mut bytes = Self::hello("SUB");
        bytes.extend([0, 1, 1]);
        peer.0.write_all(&bytes).unwrap();
        let mut heard: Vec<u8> = Vec::new();
        while !heard.windows(13).any(|part| part == b"iopub_welcome") {
            let mut some = [0; 256];
            let n = peer.0.read(&mut some).unwrap();
            assert!(n > 0, "the kernel hung up");
            heard.extend(&some[..n]);
        }
        peer
    }
}

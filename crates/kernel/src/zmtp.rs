//! ZeroMQ's wire protocol, ZMTP 3.0 with the mechanism NULL, as a server: listeners, the handshake, messages of several frames.
//!
//! <https://rfc.zeromq.org/spec/23/>. What comes from a peer is untrusted until its signature is verified: memory is taken for the
//! bytes that have come, not for those that a frame announces.

use std::io;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::time::{sleep, timeout};

/// What a peer sends.
pub(crate) type Reader = Box<dyn AsyncRead + Send + Unpin>;

/// What is sent to a peer.
pub(crate) type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// Time that a peer has for the handshake.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// Time before a listener is used again that could not let a peer in.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

/// Length of the greeting.
const GREETING: usize = 64;

/// Number of bytes of a message that are still accepted; a peer that sends more is sent away.
const MAX_MESSAGE: u64 = 1 << 28;

/// Number of frames of a message that are still accepted.
const MAX_FRAMES: usize = 1 << 10;

/// Number of bytes of a frame up to which it is copied beside its header.
const MAX_COPIED: usize = 1 << 14;

/// Bits of the first byte of a frame.
const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// A socket at which peers knock.
pub(crate) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Local(UnixListener),
}

impl Listener {
    /// Listens at an address, `tcp://IP:PORT` or `ipc://PATH`.
    ///
    /// # Errors
    /// Those of the system: an address that is taken or does not exist; a transport that is not known here.
    pub async fn bind(address: &str) -> io::Result<Self> {
        if let Some(place) = address.strip_prefix("tcp://") {
            // Every address of this machine is written `*` by ZeroMQ.
            let place = place.replacen("*:", "0.0.0.0:", 1);
            return Ok(Self::Tcp(TcpListener::bind(place).await?));
        }
        #[cfg(unix)]
        if let Some(path) = address.strip_prefix("ipc://") {
            remove_stale(std::path::Path::new(path));
            return Ok(Self::Local(UnixListener::bind(path)?));
        }
        let unknown = "this transport is not known here";
        Err(io::Error::new(io::ErrorKind::Unsupported, unknown))
    }

    /// Waits for the next peer.
    ///
    /// # Errors
    /// Those of the system, such as too many open files.
    pub async fn accept(&self) -> io::Result<(Reader, Writer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // A short message is not to wait for more of them.
                stream.set_nodelay(true)?;
                let (reader, writer) = stream.into_split();
                Ok((Box::new(reader), Box::new(writer)))
            }
            #[cfg(unix)]
            Self::Local(listener) => {
                let (stream, _) = listener.accept().await?;
                let (reader, writer) = stream.into_split();
                Ok((Box::new(reader), Box::new(writer)))
            }
        }
    }
}

/// Removes the file of a local socket that a kernel before a restart has left. A socket that answers is left alone.
#[cfg(unix)]
fn remove_stale(path: &std::path::Path) {
    use std::os::unix::fs::FileTypeExt;
    let Ok(found) = std::fs::symlink_metadata(path) else {
        return;
    };
    if found.file_type().is_socket() && std::os::unix::net::UnixStream::connect(path).is_err() {
        // Where it fails, binding says why.
        let _ = std::fs::remove_file(path);
    }
}

/// Lets peers in until the runtime ends, each attended to by a task of its own: `attend` is given the identity that the peer gives
/// itself, which may be empty. `accepted` are the types of sockets that one of the type `own` talks to.
pub(crate) async fn serve<F: Future<Output = ()> + Send + 'static>(
    listener: Listener,
    own: &'static str,
    accepted: &'static [&'static str],
    attend: impl Fn(Reader, Writer, Bytes) -> F + Clone + Send + 'static,
) {
    loop {
        let Ok((mut reader, mut writer)) = listener.accept().await else {
            // Too many open files, which may change.
            sleep(PAUSE_AFTER_ERROR).await;
            continue;
        };
        let attend = attend.clone();
        tokio::spawn(async move {
            let greeted = handshake(&mut reader, &mut writer, own, accepted);
            if let Ok(Ok(identity)) = timeout(HANDSHAKE_TIME, greeted).await {
                attend(reader, writer, identity).await;
            }
        });
    }
}

/// Exchanges greetings and types with a peer; returns the identity that it gives itself, which may be empty. `accepted` are the
/// types that a socket of the type `own` talks to.
///
/// # Errors
/// A peer that speaks another protocol, wants another mechanism or has another type.
pub(crate) async fn handshake(
    reader: &mut Reader,
    writer: &mut Writer,
    own: &str,
    accepted: &[&str],
) -> io::Result<Bytes> {
    let mut greeting = [0; GREETING];
    (greeting[0], greeting[9], greeting[10]) = (0xff, 0x7f, 3);
    greeting[12..16].copy_from_slice(b"NULL");
    writer.write_all(&greeting).await?;
    let mut theirs = [0; GREETING];
    reader.read_exact(&mut theirs).await?;
    if theirs[0] != 0xff
        || theirs[9] & 1 == 0
        || theirs[10] < 3
        || theirs[12..32] != greeting[12..32]
    {
        return Err(refused("not ZMTP 3 without security"));
    }
    let mut ready = BytesMut::from(&b"\x05READY\x0bSocket-Type"[..]);
    ready.put_u32(own.len() as u32);
    ready.extend_from_slice(own.as_bytes());
    ready.extend_from_slice(b"\x08Identity\0\0\0\0");
    writer.write_all(&[COMMAND, ready.len() as u8]).await?;
    writer.write_all(&ready).await?;
    let (flags, body) = read_frame(reader, MAX_COPIED as u64).await?;
    let properties = body.strip_prefix(b"\x05READY");
    let properties = properties.filter(|_| flags & COMMAND != 0);
    let properties = properties.ok_or_else(|| refused("no READY"))?;
    let (mut socket_type, mut identity) = (None, Bytes::new());
    for (name, value) in Properties(properties) {
        if name.eq_ignore_ascii_case(b"Socket-Type") {
            socket_type = Some(value);
        } else if name.eq_ignore_ascii_case(b"Identity") {
            identity = Bytes::copy_from_slice(value);
        }
    }
    let known = socket_type.is_some_and(|t| accepted.iter().any(|known| known.as_bytes() == t));
    if !known {
        return Err(refused("a socket of another type"));
    }
    Ok(identity)
}

fn refused(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// The properties of a command: names, each with its value. It ends where they are cut short.
struct Properties<'a>(&'a [u8]);

impl<'a> Iterator for Properties<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&length, rest) = self.0.split_first()?;
        let (name, rest) = rest.split_at_checked(length.into())?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((name, value))
    }
}

/// Reads a frame of at most `limit` bytes.
async fn read_frame(reader: &mut Reader, limit: u64) -> io::Result<(u8, Bytes)> {
    let flags = reader.read_u8().await?;
    let length = match flags & LONG {
        0 => reader.read_u8().await?.into(),
        _ => reader.read_u64().await?,
    };
    if length > limit {
        return Err(refused("a frame that is too long"));
    }
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body).await?;
    if body.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((flags, body.into()))
}

/// Reads the frames of the next message; commands are passed over.
///
/// # Errors
/// A peer that has gone, or sends what is too long.
pub(crate) async fn read_message(reader: &mut Reader) -> io::Result<Vec<Bytes>> {
    let (mut frames, mut left) = (Vec::new(), MAX_MESSAGE);
    loop {
        let (flags, body) = read_frame(reader, left).await?;
        if flags & COMMAND != 0 {
            continue;
        }
        left -= body.len() as u64;
        frames.push(body);
        if flags & MORE == 0 {
            return Ok(frames);
        }
        if frames.len() == MAX_FRAMES {
            return Err(refused("a message of too many frames"));
        }
    }
}

/// Returns the bytes of a message on the wire, in pieces. Long frames are not copied.
pub(crate) fn encode(frames: &[Bytes]) -> Vec<Bytes> {
    let (mut pieces, mut piece) = (Vec::new(), BytesMut::new());
    for (at, frame) in frames.iter().enumerate() {
        let more = if at + 1 < frames.len() { MORE } else { 0 };
        match u8::try_from(frame.len()) {
            Ok(length) => piece.extend_from_slice(&[more, length]),
            Err(_) => {
                piece.put_u8(more | LONG);
                piece.put_u64(frame.len() as u64);
            }
        }
        if frame.len() <= MAX_COPIED {
            piece.extend_from_slice(frame);
        } else {
            pieces.extend([piece.split().freeze(), frame.clone()]);
        }
    }
    pieces.push(piece.freeze());
    pieces
}

/// Writes bytes, and calls `written` whenever the peer has taken some.
///
/// # Errors
/// A peer that has gone.
pub(crate) async fn write(
    writer: &mut Writer,
    pieces: Vec<Bytes>,
    mut written: impl FnMut(),
) -> io::Result<()> {
    for mut piece in pieces {
        while !piece.is_empty() {
            if writer.write_buf(&mut piece).await? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            written();
        }
    }
    writer.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.build().unwrap().block_on(future)
    }

    fn reader(bytes: &'static [u8]) -> Reader {
        Box::new(bytes)
    }

    #[test]
    fn a_message_has_the_bytes_of_the_specification_and_comes_back() {
        let frames = [Bytes::from_static(b"a"), Bytes::new(), vec![7; 256].into()];
        let bytes = encode(&frames).concat();
        assert_eq!(&bytes[..7], b"\x01\x01a\x01\x00\x02\x00");
        assert_eq!(&bytes[6..14], 256_u64.to_be_bytes());
        let long = [Bytes::from(vec![1; 100_000]), Bytes::from_static(b"z")];
        let all: Vec<u8> = [bytes, encode(&long).concat()].concat();
        block_on(async {
            let mut reader = reader(all.leak());
            assert_eq!(read_message(&mut reader).await.unwrap(), frames);
            assert_eq!(read_message(&mut reader).await.unwrap(), long);
            assert!(read_message(&mut reader).await.is_err());
        });
    }

    #[test]
    fn what_announces_too_much_or_ends_early_is_no_message() {
        for bytes in [
            &b"\x02\xff\xff\xff\xff\xff\xff\xff\xff"[..],
            // A terabyte, of which nothing comes; a message without end.
            b"\x02\0\0\x01\0\0\0\0\0",
            b"\x00\x05abc",
            b"\x01\x01a",
            b"",
        ] {
            let read = block_on(async { read_message(&mut reader(bytes)).await });
            assert!(read.is_err(), "{bytes:?}");
        }
        let endless: Vec<u8> = b"\x01\x00".repeat(MAX_FRAMES + 1);
        assert!(block_on(async { read_message(&mut reader(endless.leak())).await }).is_err());
    }

    fn greet(minor: u8, mechanism: &[u8], ready: &[u8]) -> io::Result<Bytes> {
        let mut bytes = vec![0; GREETING];
        (bytes[0], bytes[9], bytes[10], bytes[11]) = (0xff, 0x7f, 3, minor);
        bytes[12..12 + mechanism.len()].copy_from_slice(mechanism);
        bytes.extend([COMMAND, ready.len() as u8]);
        bytes.extend(ready);
        let mut writer: Writer = Box::<Vec<u8>>::default();
        let bytes: &'static [u8] = bytes.leak();
        block_on(async {
            handshake(
                &mut reader(bytes),
                &mut writer,
                "ROUTER",
                &["DEALER", "REQ"],
            )
            .await
        })
    }

    #[test]
    fn a_handshake_takes_who_fits() {
        let dealer = b"\x05READY\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\x02me";
        assert_eq!(greet(0, b"NULL", dealer).unwrap(), "me");
        assert_eq!(greet(1, b"NULL", dealer).unwrap(), "me");
        assert!(greet(1, b"PLAIN", dealer).is_err());
        for ready in [
            &b"\x05READY\x0bSocket-Type\0\0\0\x03SUB"[..],
            b"\x05READY\x0bSocket-Type\0\0\0\x09DEALER",
            b"\x05READY",
            b"\x05ERROR\x00",
        ] {
            assert!(greet(0, b"NULL", ready).is_err(), "{ready:?}");
        }
    }
}

//! The connection file that Jupyter hands to a kernel: addresses of the sockets, and the key of signatures.

use std::path::Path;

use jupyter_protocol::ConnectionInfo;

use odesync_base::{Error, Result};

/// The only signature scheme that Jupyter uses.
const SCHEME: &str = "hmac-sha256";

/// The addresses of a kernel's sockets, and the key of signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Connection {
    pub shell: String,
    pub iopub: String,
    pub stdin: String,
    pub control: String,
    pub heartbeat: String,
    /// Key of the signatures; empty where messages are not signed.
    pub key: String,
}

impl Connection {
    /// Reads a connection file.
    ///
    /// # Errors
    /// A file that cannot be read, that is no connection file, or that asks for another signature scheme.
    pub fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file).map_err(|e| Error::io("read", file, &e))?;
        let info: ConnectionInfo = serde_json::from_str(&text).map_err(|error| {
            Error::invalid(format!(
                "{} is no connection file of Jupyter's: {error}",
                file.display()
            ))
        })?;
        if !info.key.is_empty() && info.signature_scheme != SCHEME {
            return Err(Error::invalid(format!(
                "{} asks for signatures by {}; this kernel knows {SCHEME}",
                file.display(),
                info.signature_scheme
            )));
        }
        Ok(Self::new(&info))
    }

    fn new(info: &ConnectionInfo) -> Self {
        Self {
            shell: info.shell_url(),
            iopub: info.iopub_url(),
            stdin: info.stdin_url(),
            control: info.control_url(),
            heartbeat: info.hb_url(),
            key: info.key.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Connection> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kernel.json");
        std::fs::write(&file, text).unwrap();
        Connection::read(&file)
    }

    const FILE: &str = r#"{ "shell_port": 1, "iopub_port": 2, "stdin_port": 3, "control_port": 4, "hb_port": 5,
        "ip": "127.0.0.1", "key": "a", "transport": "tcp", "signature_scheme": "hmac-sha256", "jupyter_session": "x" }"#;

    #[test]
    fn addresses_are_those_of_the_file() {
        let tcp = read(FILE).unwrap();
        assert_eq!(tcp.shell, "tcp://127.0.0.1:1");
        assert_eq!(tcp.heartbeat, "tcp://127.0.0.1:5");
        let ipc = FILE
            .replace("\"tcp\"", "\"ipc\"")
            .replace("127.0.0.1", "/tmp/k");
        assert_eq!(read(&ipc).unwrap().iopub, "ipc:///tmp/k-2");
    }

    #[test]
    fn a_file_that_is_none_is_named() {
        for (text, word) in [
            ("{}", "no connection file"),
            ("no JSON", "no connection file"),
            (&FILE.replace("sha256", "md5")[..], "hmac-md5"),
        ] {
            let message = read(text).unwrap_err().to_string();
            assert!(
                message.contains(word) && message.contains("kernel.json"),
                "{message}"
            );
        }
        let missing = Connection::read(Path::new("/no/such/file")).unwrap_err();
        assert!(missing.to_string().contains("/no/such/file"));
    }
}

//! The documentation of the script's functions.

use odesync::script::{Output, Session, SessionOptions};

#[test]
fn every_example_runs() {
    let session = || {
        Session::new(SessionOptions {
            output: Output::captured().0,
            quiet: true,
            ..SessionOptions::default()
        })
        .unwrap()
    };
    let docs = session().docs();
    assert!(docs.len() > 50);
    for doc in docs {
        let result = session().eval(doc.example, None);
        assert!(result.is_ok(), "{}: {}", doc.name, result.unwrap_err());
        assert!(doc.signature.contains(doc.name), "{doc:?}");
        assert!(doc.text.ends_with(['.', ')']), "{doc:?}");
    }
}

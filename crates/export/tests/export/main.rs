//! Tests of exports: what the files hold, and that the C of every field computes what the field computes. The Python files are
//! run by `tools/check_exports.py`.

mod c_source;
mod fields;
mod snapshots;
mod weights;
mod written_fields;

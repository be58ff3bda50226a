//! The declaration of a set of options.

/// Declares a struct of options: each field with its documentation, its kind and its default. From the one declaration come the
/// struct, its `Default`, the constant `OPTIONS` with the description of each option, [`OptionSet`](crate::options::OptionSet), and
/// `check_ranges`.
///
/// A field is `name: type as kind = default;`, and `= default, "the default in words";` where the value does not say it. The kind
/// is an [`OptionKind`](crate::options::OptionKind). The first paragraph of a field's documentation is what users read; what
/// concerns Rust only stands in the paragraphs after it. After the options come, where there are any, `sets { … }`, fields that
/// are sets of options themselves, whose options are set through this one, and `others { … }`, fields that are not set by name.
#[macro_export]
macro_rules! option_set {
    (
        $(#[$attribute:meta])*
        $visible:vis struct $set:ident {
            $(
                $(#[doc = $doc:literal])*
                $field_visible:vis $field:ident: $type:ty as $kind:ty = $default:expr $(, $words:literal)?;
            )*
        }
        $(sets {
            $(
                $(#[$part_attribute:meta])*
                $part_visible:vis $part:ident: $part_type:ty;
            )*
        })?
        $(others {
            $(
                $(#[$other_attribute:meta])*
                $other_visible:vis $other:ident: $other_type:ty = $other_default:expr;
            )*
        })?
    ) => {
        $(#[$attribute])*
        $visible struct $set {
            $( $(#[doc = $doc])* $field_visible $field: $type, )*
            $($( $(#[$part_attribute])* $part_visible $part: $part_type, )*)?
            $($( $(#[$other_attribute])* $other_visible $other: $other_type, )*)?
        }

        impl Default for $set {
            fn default() -> Self {
                $set {
                    $( $field: $default, )*
                    $($( $part: <$part_type>::default(), )*)?
                    $($( $other: $other_default, )*)?
                }
            }
        }

        impl $set {
            /// Descriptions of the options, without those of the sets that are parts of this one.
            $visible const OPTIONS: &'static [$crate::options::Key] = &[
                $( $crate::options::Key {
                    name: stringify!($field),
                    doc: concat!($($doc, "\n"),*),
                    expected: <$kind as $crate::options::OptionKind>::EXPECTED,
                    choices: <$kind as $crate::options::OptionKind>::CHOICES,
                    literals: <$kind as $crate::options::OptionKind>::LITERALS,
                    nested: <$kind as $crate::options::OptionKind>::NESTED,
                    default: || <$kind as $crate::options::OptionKind>::write(&$default),
                    default_words: concat!($($words)?),
                }, )*
            ];

            /// Checks that every option is in its range, except those of the sets that are parts of this one.
            ///
            /// # Errors
            /// An option out of its range.
            #[allow(dead_code, reason = "some sets have no ranges to check")]
            $visible fn check_ranges(&self) -> $crate::Result<()> {
                $(
                    if !<$kind as $crate::options::OptionKind>::is_in_range(&self.$field) {
                        let value = <$kind as $crate::options::OptionKind>::write(&self.$field);
                        return Err($crate::Error::invalid(format!(
                            "{} should be {}, not {value}",
                            stringify!($field),
                            <$kind as $crate::options::OptionKind>::EXPECTED,
                        )));
                    }
                )*
                Ok(())
            }
        }

        impl $crate::options::OptionSet for $set {
            fn keys(&self) -> Vec<&'static $crate::options::Key> {
                #[allow(unused_mut, reason = "most sets have no parts")]
                let mut keys: Vec<&'static $crate::options::Key> = Self::OPTIONS.iter().collect();
                $($( keys.extend($crate::options::OptionSet::keys(&self.$part)); )*)?
                keys
            }

            fn try_set(
                &mut self,
                name: &str,
                value: &$crate::options::Value,
            ) -> std::result::Result<(), $crate::options::Mismatch> {
                $(
                    if name == stringify!($field) {
                        self.$field = <$kind as $crate::options::OptionKind>::read(value)?;
                        return Ok(());
                    }
                )*
                $($(
                    match $crate::options::OptionSet::try_set(&mut self.$part, name, value) {
                        Err($crate::options::Mismatch::UnknownName) => {}
                        done => return done,
                    }
                )*)?
                Err($crate::options::Mismatch::UnknownName)
            }

            fn get(&self, name: &str) -> Option<$crate::options::Value> {
                $(
                    if name == stringify!($field) {
                        return Some(<$kind as $crate::options::OptionKind>::write(&self.$field));
                    }
                )*
                $($(
                    if let Some(value) = $crate::options::OptionSet::get(&self.$part, name) {
                        return Some(value);
                    }
                )*)?
                None
            }
        }
    };
}

//! What the message tests of `butterfly-wire` and `butterfly-api` share.

use butterfly_wire::frame::FRAME_LIMIT;
use butterfly_wire::{Decode, Encode, codec};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeSet;
use std::fmt::{Debug, Write as _};

/// Cases per message. Enough for every variant of the largest enum to come up many times.
const CASES: usize = 400;

/// Bytes that all decoded parts of one frame may take in memory together. Each container claims its elements' size in
/// memory before it allocates, so none is larger than a frame; what a nested container's elements take in memory beyond
/// their encoding can add to that, by up to three times for the messages there are.
const DECODED_LIMIT: u64 = 4 * FRAME_LIMIT as u64;

/// Bytes that look like messages: short lengths, low discriminants, ASCII, and now and then a wide integer. Some have
/// little but zeros and ones, for what is full of enums; some have more of everything else.
pub fn plausible() -> impl Strategy<Value = Vec<u8>> {
    let mixed = |low: u32, text: u32, wide: u32| {
        let byte = prop_oneof![
            low => 0..=1_u8, 12 => 2..=8_u8, text => 9..=127_u8, wide => 251..=253_u8, 1 => any::<u8>()
        ];
        vec(byte, 0..300)
    };
    prop_oneof![mixed(200, 4, 1), mixed(60, 20, 4), mixed(10, 60, 4)]
}

/// Bytes without any intention, and bytes that claim much: runs of one byte make nested containers as large as they get.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let runs = (vec(any::<u8>(), 0..12), prop_oneof![Just(0_u8), Just(1), Just(250), any::<u8>()], 0..FRAME_LIMIT)
        .prop_map(|(mut head, byte, length)| {
            head.resize(head.len() + length, byte);
            head
        });
    prop_oneof![10 => vec(any::<u8>(), 0..200), 10 => plausible(), 1 => runs]
}

/// Any bytes at all decode to a value or to an error, without a panic and within bounded memory.
///
/// # Panics
/// When that is not so.
pub fn withstands_any_bytes<T: Decode<()>>(name: &str) {
    let mut runner = TestRunner::deterministic();
    let cases = hostile();
    for _ in 0..CASES / 2 {
        let bytes = cases.new_tree(&mut runner).expect("the strategy always yields").current();
        decodes_within_bounds::<T>(name, &bytes);
    }
    // The longest claim at each place of a short message.
    for at in 0..12 {
        for tag in [251_u8, 252, 253] {
            let mut bytes = vec![1_u8; at];
            bytes.push(tag);
            bytes.extend([0xff; 8]);
            bytes.extend([0; 64]);
            decodes_within_bounds::<T>(name, &bytes);
            // As much as a frame may hold, and one more.
            for claimed in [FRAME_LIMIT as u32, FRAME_LIMIT as u32 + 1] {
                bytes.truncate(at);
                bytes.push(252);
                bytes.extend(claimed.to_le_bytes());
                decodes_within_bounds::<T>(name, &bytes);
            }
        }
    }
}

/// Decodes `bytes`, whatever they are, and watches the memory.
///
/// # Panics
/// When it takes more than it may.
pub fn decodes_within_bounds<T: Decode<()>>(name: &str, bytes: &[u8]) {
    let used = allocation_counter::measure(|| drop(codec::decode::<T>(bytes)));
    assert!(used.bytes_max <= DECODED_LIMIT, "{name}: {} bytes of memory for {} of frame", used.bytes_max, bytes.len());
    if bytes.len() < 1024 {
        // A short frame holds nothing nested that is large: what it claims in vain is one container, plus its text.
        let most = FRAME_LIMIT as u64 + 64 * 1024;
        assert!(used.bytes_max <= most, "{name}: {} bytes of memory for a frame of {}", used.bytes_max, bytes.len());
    }
    assert_eq!(used.bytes_current, 0, "{name} leaks");
}

/// What decodes encodes to bytes that decode to the same; and those bytes are taken whole or not at all.
///
/// # Panics
/// When that is not so, or when too few cases were valid messages to show it.
pub fn encode_and_decode_are_inverse<T: Encode + Decode<()> + Debug>(name: &str) {
    let mut runner = TestRunner::deterministic();
    let cases = plausible();
    let mut seen = 0;
    for _ in 0..CASES {
        let mut bytes = cases.new_tree(&mut runner).expect("the strategy always yields").current();
        if let Err(codec::CodecError::LeftOver(rest)) = codec::decode::<T>(&bytes) {
            bytes.truncate(bytes.len() - rest);
        }
        let Ok(value) = codec::decode::<T>(&bytes) else { continue };
        seen += 1;
        let encoded = codec::encode(&value).expect("what was decoded fits a frame");
        let again: T = codec::decode(&encoded).expect("what was encoded decodes");
        // By their text, because a float may be no number and then equals nothing.
        assert_eq!(format!("{again:?}"), format!("{value:?}"), "{name}");
        assert_eq!(codec::encode(&again).expect("as before"), encoded, "{name}");
        let mut longer = encoded.clone();
        longer.push(0);
        assert_eq!(codec::decode::<T>(&longer).err(), Some(codec::CodecError::LeftOver(1)), "{name}");
        if let Some((_, shorter)) = encoded.split_last() {
            assert!(codec::decode::<T>(&encoded[..shorter.len()]).is_err(), "{name} without its last byte");
        }
    }
    assert!(seen >= 10, "{name}: only {seen} of {CASES} cases were valid messages");
}

/// One line per value: its name, and its bytes in hex, 32 a line.
///
/// # Panics
/// When a value does not encode.
pub struct Golden(pub String, pub BTreeSet<String>);

impl Golden {
    pub fn new() -> Self {
        Self(String::new(), BTreeSet::new())
    }

    /// Adds a value of the type `T`, under the type's name and, for one of several variants, `which`.
    pub fn add<T: Encode + Decode<()> + Debug>(&mut self, which: &str, value: &T) {
        let name = std::any::type_name::<T>().rsplit("::").next().unwrap_or_default().to_owned();
        let bytes = codec::encode(value).expect("a representative value fits a frame");
        let back: T = codec::decode(&bytes).expect("and decodes");
        assert_eq!(format!("{back:?}"), format!("{value:?}"));
        self.raw(&if which.is_empty() { name.clone() } else { format!("{name} {which}") }, &bytes);
        self.1.insert(name);
    }

    /// Adds bytes that the codec did not make.
    pub fn raw(&mut self, name: &str, bytes: &[u8]) {
        let _ = writeln!(self.0, "{name}: {} bytes", bytes.len());
        for line in bytes.chunks(32) {
            let hex: Vec<_> = line.iter().map(|byte| format!("{byte:02x}")).collect();
            let _ = writeln!(self.0, "    {}", hex.join(" "));
        }
    }
}

/// The names of the types that `source` makes decodable.
pub fn declared(source: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut decodable = false;
    for line in source.lines() {
        if line.starts_with("#[derive(") {
            decodable = line.contains("Decode");
        }
        if let Some(rest) = line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum ")) {
            if decodable {
                names.insert(rest.chars().take_while(|c| c.is_alphanumeric()).collect());
            }
            decodable = false;
        }
    }
    names
}

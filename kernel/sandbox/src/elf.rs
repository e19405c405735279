//! The three things that a start must know of an ELF file: its interpreter, and the folders that it names for its libraries.
//!
//! Reads 64-bit little-endian files only, which is what the supported processors run. Every offset comes from the file and
//! is believed only within it.

use std::io::{self, Read, Seek, SeekFrom};
use thiserror::Error;

/// What a program asks of the dynamic loader.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// `PT_INTERP`: absent in a static program.
    pub(crate) interpreter: Option<String>,
    /// `DT_RUNPATH` and `DT_RPATH`, split at colons, `$ORIGIN` left as it is.
    pub(crate) library_folders: Vec<String>,
}

#[derive(Debug, Error)]
pub enum ElfError {
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("it is no 64-bit little-endian ELF program")]
    NotElf,
    #[error("its headers contradict each other")]
    Malformed,
}

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const DT_STRTAB: u64 = 5;
const DT_RPATH: u64 = 15;
const DT_RUNPATH: u64 = 29;

const HEADER_BYTES: u64 = 64;
const PROGRAM_HEADER_BYTES: usize = 56;
/// More program headers than any linker writes (a dozen).
const PROGRAM_HEADERS: usize = 256;
/// Longest section read whole: the dynamic section has some 30 entries of 16 bytes.
const SECTION_BYTES: u64 = 64 << 10;
/// Longest string: Linux's longest path.
const STRING_BYTES: u64 = 4096;

#[derive(Clone, Copy)]
struct Segment {
    kind: u32,
    offset: u64,
    address: u64,
    bytes: u64,
}

/// Reads what `file` asks for.
///
/// # Errors
/// [`ElfError`] when it is no ELF file of this kind, or contradicts itself.
pub(crate) fn needs(file: &mut (impl Read + Seek)) -> Result<Needs, ElfError> {
    let segments = segments(file)?;
    let mut needs = Needs::default();
    if let Some(segment) = segments.iter().find(|segment| segment.kind == PT_INTERP) {
        needs.interpreter = Some(text(&read_at(file, segment.offset, segment.bytes.min(STRING_BYTES))?)?);
    }
    let Some(dynamic) = segments.iter().find(|segment| segment.kind == PT_DYNAMIC) else {
        return Ok(needs);
    };
    let dynamic = read_at(file, dynamic.offset, dynamic.bytes.min(SECTION_BYTES))?;
    let entries = || dynamic.chunks_exact(16).map(|entry| (u64_at(entry, 0), u64_at(entry, 8)));
    let strings = entries().find_map(|(tag, value)| (tag == DT_STRTAB).then_some(value));
    for (_, offset) in entries().filter(|(tag, _)| matches!(*tag, DT_RPATH | DT_RUNPATH)) {
        let address = strings.and_then(|strings| strings.checked_add(offset)).ok_or(ElfError::Malformed)?;
        let folders = text(&read_up_to(file, position(&segments, address)?, STRING_BYTES)?)?;
        needs.library_folders.extend(folders.split(':').filter(|folder| !folder.is_empty()).map(str::to_owned));
    }
    Ok(needs)
}

fn segments(file: &mut (impl Read + Seek)) -> Result<Vec<Segment>, ElfError> {
    let header = read_up_to(file, 0, HEADER_BYTES)?;
    // Magic, ELFCLASS64, ELFDATA2LSB.
    if header.len() < HEADER_BYTES as usize || !header.starts_with(b"\x7fELF\x02\x01") {
        return Err(ElfError::NotElf);
    }
    let (size, count) = (u16_at(&header, 54) as usize, u16_at(&header, 56) as usize);
    if size < PROGRAM_HEADER_BYTES || count > PROGRAM_HEADERS {
        return Err(ElfError::Malformed);
    }
    let table = read_at(file, u64_at(&header, 32), (size * count) as u64)?;
    Ok(table
        .chunks_exact(size)
        .map(|entry| Segment {
            kind: u32_at(entry, 0),
            offset: u64_at(entry, 8),
            address: u64_at(entry, 16),
            bytes: u64_at(entry, 32),
        })
        .collect())
}

/// Where in the file the byte lies that will be loaded to `address`.
fn position(segments: &[Segment], address: u64) -> Result<u64, ElfError> {
    segments
        .iter()
        .filter(|segment| segment.kind == PT_LOAD)
        .find_map(|segment| {
            let within = address.checked_sub(segment.address)?;
            (within < segment.bytes).then(|| segment.offset.checked_add(within)).flatten()
        })
        .ok_or(ElfError::Malformed)
}

fn read_at(file: &mut (impl Read + Seek), offset: u64, bytes: u64) -> Result<Vec<u8>, ElfError> {
    let found = read_up_to(file, offset, bytes)?;
    if found.len() as u64 == bytes { Ok(found) } else { Err(ElfError::Malformed) }
}

fn read_up_to(file: &mut (impl Read + Seek), offset: u64, bytes: u64) -> Result<Vec<u8>, ElfError> {
    file.seek(SeekFrom::Start(offset))?;
    let mut found = Vec::new();
    file.take(bytes).read_to_end(&mut found)?;
    Ok(found)
}

/// The string up to the first NUL.
fn text(bytes: &[u8]) -> Result<String, ElfError> {
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8(bytes.to_vec()).map_err(|_| ElfError::Malformed)
}

fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N])
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes_at(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes_at(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes_at(bytes, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// A file with one PT_LOAD over everything, an interpreter and a dynamic section with a run path.
    fn sample() -> Vec<u8> {
        let interpreter = b"/lib/ld.so\0";
        let strings = b"\0$ORIGIN/../lib:/opt/lib\0";
        let headers = 64 + 3 * 56_u64;
        let strings_at = headers + interpreter.len() as u64;
        let dynamic_at = strings_at + strings.len() as u64;
        let base = 0x40_0000_u64;
        let dynamic: Vec<u8> =
            [DT_STRTAB, base + strings_at, DT_RUNPATH, 1].iter().flat_map(|it| it.to_le_bytes()).collect();
        let total = dynamic_at + dynamic.len() as u64;
        let mut file = b"\x7fELF\x02\x01".to_vec();
        file.resize(64, 0);
        file[32..40].copy_from_slice(&64_u64.to_le_bytes());
        file[54..56].copy_from_slice(&56_u16.to_le_bytes());
        file[56..58].copy_from_slice(&3_u16.to_le_bytes());
        for (kind, offset, address, bytes) in [
            (PT_LOAD, 0, base, total),
            (PT_INTERP, headers, base + headers, interpreter.len() as u64),
            (PT_DYNAMIC, dynamic_at, base + dynamic_at, dynamic.len() as u64),
        ] {
            let mut entry = vec![0; 56];
            entry[..4].copy_from_slice(&kind.to_le_bytes());
            entry[8..16].copy_from_slice(&offset.to_le_bytes());
            entry[16..24].copy_from_slice(&address.to_le_bytes());
            entry[32..40].copy_from_slice(&bytes.to_le_bytes());
            file.extend_from_slice(&entry);
        }
        file.extend_from_slice(interpreter);
        file.extend_from_slice(strings);
        file.extend_from_slice(&dynamic);
        file
    }

    #[test]
    fn interpreter_and_run_path_are_found() {
        let needs = needs(&mut Cursor::new(sample())).unwrap();
        assert_eq!(needs.interpreter.as_deref(), Some("/lib/ld.so"));
        assert_eq!(needs.library_folders, ["$ORIGIN/../lib", "/opt/lib"]);
    }

    #[test]
    fn a_real_program_names_its_interpreter() {
        let needs = needs(&mut std::fs::File::open(std::env::current_exe().unwrap()).unwrap()).unwrap();
        assert!(needs.interpreter.unwrap().contains("/ld-"));
    }

    #[test]
    fn every_truncation_and_every_flipped_byte_is_survived() {
        let sample = sample();
        for end in 0..sample.len() {
            let _ = needs(&mut Cursor::new(&sample[..end]));
        }
        for at in 0..sample.len() {
            for value in [0, 0x7f, 0xff] {
                let mut changed = sample.clone();
                changed[at] = value;
                let _ = needs(&mut Cursor::new(changed));
            }
        }
        assert!(matches!(needs(&mut Cursor::new(b"#!/bin/sh\n")), Err(ElfError::NotElf)));
    }
}

//! Which model a machine without one is offered.
//!
//! By total memory, because that is what decides whether a model runs at all; each row leaves the system, a desktop and
//! 8k tokens of context their share.
//!
//! | memory      | preset        | download |
//! |-------------|---------------|----------|
//! | 16 GB or more | `gpt-oss:20b` | 13 GB  |
//! | 10 GiB      | `qwen3:8b`    | 5.2 GB   |
//! | 6 GiB       | `qwen3:4b`    | 2.5 GB   |
//! | 3 GiB       | `qwen3:1.7b`  | 1.4 GB   |
//! | less        | `qwen3:0.6b`  | 0.5 GB   |
//! | unknown     | `qwen3:4b`    | 2.5 GB   |

/// The embedding model that is offered: 46 MB, 384 dimensions, quick without an accelerator.
pub const EMBEDDING: &str = "all-minilm";

const GIB: u64 = 1 << 30;

/// The preset for a machine with this many bytes of memory; `None` where that is unknown.
#[must_use]
pub const fn for_memory(total_bytes: Option<u64>) -> &'static str {
    let Some(total) = total_bytes else {
        return "qwen3:4b";
    };
    // A machine sold with 16 GB reports up to 1 GiB less, which firmware and graphics keep.
    if total >= 15 * GIB {
        "gpt-oss:20b"
    } else if total >= 10 * GIB {
        "qwen3:8b"
    } else if total >= 6 * GIB {
        "qwen3:4b"
    } else if total >= 3 * GIB {
        "qwen3:1.7b"
    } else {
        "qwen3:0.6b"
    }
}

/// Total memory of this machine in bytes, where a confined process can learn it.
#[must_use]
pub fn total_memory() -> Option<u64> {
    #[cfg(target_os = "linux")]
    {
        // sysinfo(2) needs no file: /proc/meminfo is outside this worker's grants.
        nix::sys::sysinfo::sysinfo().ok().map(|info| info.ram_total())
    }
    #[cfg(not(target_os = "linux"))]
    {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preset_fits_the_memory() {
        let preset = |gib: u64| for_memory(Some(gib * GIB));
        assert_eq!(preset(64), "gpt-oss:20b");
        assert_eq!(for_memory(Some(16_000_000_000 + 300_000_000)), "gpt-oss:20b", "sold as 16 GB, reports 15.2 GiB");
        assert_eq!(preset(12), "qwen3:8b");
        assert_eq!(preset(8), "qwen3:4b");
        assert_eq!(preset(4), "qwen3:1.7b");
        assert_eq!(preset(2), "qwen3:0.6b");
        assert_eq!(for_memory(None), "qwen3:4b");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn memory_is_known_without_a_file() {
        assert!(total_memory().unwrap() > 64 << 20);
    }
}

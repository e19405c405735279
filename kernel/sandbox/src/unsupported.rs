//! Everything that is neither Linux nor macOS: nothing is enforced here, so nothing starts.

use crate::{JailError, JailExit, Profile, System};

pub(crate) fn system() -> System {
    System { landlock_abi: 0, seatbelt: false }
}

pub(crate) fn confine_and_exec(profile: &Profile) -> JailError {
    JailError::new(
        JailExit::Unsupported,
        format!("{} was not started; Linux 6.1 or newer, or macOS, is needed", profile.program),
    )
}

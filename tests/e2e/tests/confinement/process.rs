//! What the jail makes of a process, whatever it is granted.

use crate::launch::{keeping, profile, run};

#[test]
fn the_program_sees_only_its_own_environment_and_starts_in_the_root_folder() {
    let ended = run(&profile(&["environment"]));
    assert_eq!(ended.lines, ["GIVEN=yes", "folder\tok"], "{ended:?}");
}

#[test]
fn the_null_device_stays_usable_at_every_abi() {
    for abi in [2, 4, 6, 7] {
        let ended = run(&keeping(&["null"], |it| it.landlock_abi = abi));
        assert_eq!(ended.lines, ["write\tok", "read\tok"], "{ended:?}");
    }
}

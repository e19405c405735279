//! Homes that move, over real folders.

use super::*;
use tempfile::TempDir;

struct Home {
    _folder: TempDir,
    root: PathBuf,
    place: Place,
}

/// A home with a data folder in use.
fn home() -> Home {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let place = Place::under(&root.join("home"));
    for folder in [&place.data.join("vectors/a"), &place.data.join("tmp"), &place.state, &place.runtime] {
        fs::create_dir_all(folder).unwrap();
    }
    fs::write(place.data.join("butterfly.db"), "said").unwrap();
    fs::write(place.data.join("vectors/a/1"), "meant").unwrap();
    fs::write(place.data.join("tmp/sorting"), "scratch").unwrap();
    Home { _folder: folder, root, place }
}

impl Home {
    fn plan(&self, to: &Path) -> Result<Option<Plan>, MoveError> {
        Plan::new(&self.place, to.to_str().unwrap(), Some(&self.root.join("user")))
    }

    fn go(&self, to: &Path) -> Result<Moved, MoveError> {
        self.plan(to)?.unwrap().carry_out(&AtomicBool::new(false))
    }

    #[track_caller]
    fn is_whole_at(&self, to: &Path) {
        assert_eq!(fs::canonicalize(&self.place.data).unwrap(), to);
        assert_eq!(fs::read_to_string(to.join("butterfly.db")).unwrap(), "said");
        assert_eq!(fs::read_to_string(to.join("vectors/a/1")).unwrap(), "meant");
        assert!(!beside(&self.place.data, NEW).is_symlink() && !beside(&self.place.data, NEW).exists());
        assert!(!beside(&self.place.data, OLD).exists());
    }
}

#[test]
fn a_moved_folder_is_whole_its_owners_alone_and_leaves_nothing_behind() {
    let home = home();
    let away = home.root.join("disk");
    let moved = home.go(&away).unwrap();
    assert!(moved.left.is_none());
    home.is_whole_at(&away);
    assert!(home.place.data.is_symlink());
    assert_eq!(fs::metadata(&away).unwrap().mode() & 0o777, 0o700);
    let mut names: Vec<_> = fs::read_dir(&away).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["butterfly.db", "vectors"], "no scratch, and nothing half done");
    assert_eq!(fs::metadata(away.join("butterfly.db")).unwrap().nlink(), 1, "the old name is gone");
}

#[test]
fn it_moves_on_and_comes_home() {
    let home = home();
    let (one, two) = (home.root.join("one"), home.root.join("two"));
    fs::create_dir(&two).unwrap();
    home.go(&one).unwrap();
    home.go(&two).unwrap();
    home.is_whole_at(&two);
    assert!(!one.exists());
    home.go(Path::new("")).unwrap();
    home.is_whole_at(&home.place.data);
    assert!(!home.place.data.is_symlink() && !two.exists());
    assert_eq!(home.plan(Path::new("")).unwrap(), None, "it is there already");
    home.go(&one).unwrap();
    assert_eq!(home.plan(&one).unwrap(), None);
}

/// The place that the name of the home leads to is not the name: the old name then leads to the new folder.
#[test]
fn a_home_that_is_reached_through_a_link_loses_nothing() {
    let mut home = home();
    let door = home.root.join("door");
    symlink(home.root.join("home"), &door).unwrap();
    home.place = Place::under(&door);
    let away = home.root.join("disk");
    home.go(&away).unwrap();
    home.is_whole_at(&away);
    home.go(&home.place.data).unwrap();
    home.is_whole_at(&home.root.join("home/data"));
}

#[test]
fn unfit_places_are_refused_by_name_and_nothing_is_touched() {
    let home = home();
    let file = home.root.join("file");
    fs::write(&file, "").unwrap();
    let full = home.root.join("full");
    fs::create_dir_all(full.join("something")).unwrap();
    let link = home.root.join("link");
    symlink(home.root.join("elsewhere"), &link).unwrap();
    fs::create_dir_all(home.root.join("user/.config")).unwrap();
    let refused = |to: &Path| home.plan(to).unwrap_err();
    assert!(matches!(refused(Path::new("relative")), MoveError::NotPlain(_)));
    assert!(matches!(refused(&home.root.join("a/../b")), MoveError::NotPlain(_)));
    assert!(matches!(refused(&home.root.join("a/./b")), MoveError::NotPlain(_)));
    assert!(matches!(refused(Path::new("/")), MoveError::NotPlain(_)));
    assert!(matches!(refused(&file), MoveError::NoFolder(_)));
    assert!(matches!(refused(&full), MoveError::NotEmpty(_)));
    assert!(matches!(refused(&link), MoveError::Link { .. }));
    assert!(matches!(refused(&home.root.join("absent/below")), MoveError::Io { .. }));
    assert!(matches!(refused(&home.place.data.join("within")), MoveError::Own { .. }));
    assert!(matches!(refused(&home.place.state.join("within")), MoveError::Own { .. }));
    assert!(matches!(refused(&home.place.runtime), MoveError::Own { .. }));
    assert!(matches!(refused(&home.root), MoveError::Own { .. }), "all of it is within");
    assert!(matches!(refused(&home.root.join("user/.config/autostart")), MoveError::Hidden(_)));
    fs::create_dir(home.root.join("real")).unwrap();
    symlink(home.root.join("real"), home.root.join("way")).unwrap();
    assert!(matches!(refused(&home.root.join("way/to")), MoveError::Link { .. }));
    home.is_whole_at(&home.place.data);
}

#[test]
fn what_cannot_be_copied_stays_and_the_destination_is_empty_again() {
    let home = home();
    let away = home.root.join("disk");
    let plan = home.plan(&away).unwrap().unwrap();
    let stopped = plan.carry_out(&AtomicBool::new(true)).unwrap_err();
    assert!(matches!(stopped, MoveError::Stopped));
    symlink("/", home.place.data.join("vectors/strange")).unwrap();
    let strange = plan.carry_out(&AtomicBool::new(false)).unwrap_err();
    assert!(matches!(strange, MoveError::Strange(_)));
    home.is_whole_at(&home.place.data);
    assert_eq!(fs::read_dir(&away).unwrap().count(), 0);
    fs::remove_file(home.place.data.join("vectors/strange")).unwrap();
    home.go(&away).unwrap();
    home.is_whole_at(&away);
}

/// What each step of a move leaves when the machine goes down after it.
#[test]
fn a_crash_at_any_step_leaves_one_whole_folder() {
    let (new, old) = (|own: &Path| beside(own, NEW), |own: &Path| beside(own, OLD));
    let home = home();
    let own = &home.place.data;
    let away = home.root.join("disk");
    // While copying, into the destination and into the home.
    fs::create_dir_all(away.join(INCOMING).join("half")).unwrap();
    fs::create_dir_all(new(own).join("half")).unwrap();
    settle(&home.place).unwrap();
    home.is_whole_at(own);
    // Before the exchange.
    symlink(&away, new(own)).unwrap();
    settle(&home.place).unwrap();
    home.is_whole_at(own);
    // Between the two steps of an exchange that takes two.
    symlink(&away, new(own)).unwrap();
    fs::rename(own, old(own)).unwrap();
    settle(&home.place).unwrap();
    home.is_whole_at(own);
    // An interrupted copy is no obstacle.
    home.go(&away).unwrap();
    home.is_whole_at(&away);
    // After the exchange.
    fs::create_dir_all(new(own).join("what was there before")).unwrap();
    settle(&home.place).unwrap();
    home.is_whole_at(&away);
}

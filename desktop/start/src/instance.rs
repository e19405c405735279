//! Which instance is meant: `--home`, else `BUTTERFLY_HOME`, else the XDG folders.

use crate::StartError;
use butterfly_wire::place::Place;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The place, and the home folder that was named for it, which a kernel that is started must be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    pub place: Place,
    pub home: Option<PathBuf>,
}

impl Instance {
    /// Finds the instance: by `option`, which is what `--home` was given, else by the environment, which `variable`
    /// looks up. A relative `--home` counts from the working folder.
    ///
    /// # Errors
    /// Where no folder is named, or one that is no UTF-8: paths travel as text.
    pub fn find(option: Option<&Path>, variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, StartError> {
        let home = match option {
            Some(folder) if folder.as_os_str().is_empty() => return Err(StartError::EmptyHome),
            Some(folder) => Some(absolute(folder)?),
            None => variable("BUTTERFLY_HOME").filter(|value| !value.is_empty()).map(PathBuf::from),
        };
        let named = match &home {
            Some(folder) => Some(folder.to_str().ok_or_else(|| StartError::NoText(folder.clone()))?.to_owned()),
            None => None,
        };
        let get = |name: &str| match name {
            "BUTTERFLY_HOME" => named.clone(),
            other => variable(other).and_then(|value| value.into_string().ok()),
        };
        Ok(Self { place: Place::from_variables(get)?, home })
    }
}

/// The folder from the root on. Links are not followed: a long path's socket is named after the path as it was given,
/// by `--home` and `BUTTERFLY_HOME` alike.
fn absolute(folder: &Path) -> Result<PathBuf, StartError> {
    std::path::absolute(folder).map_err(|fault| StartError::UnusableHome { folder: folder.to_owned(), fault })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    fn nothing(_: &str) -> Option<OsString> {
        None
    }

    #[test]
    fn the_option_wins_over_the_variable() {
        let variable = |name: &str| (name == "BUTTERFLY_HOME").then(|| OsString::from("/from-variable"));
        let found = Instance::find(Some(Path::new("/no-such/from-option")), variable).unwrap();
        assert_eq!(found.place, Place::under(Path::new("/no-such/from-option")));
        assert_eq!(Instance::find(None, variable).unwrap().place, Place::under(Path::new("/from-variable")));
    }

    #[test]
    fn a_relative_option_counts_from_the_working_folder() {
        let found = Instance::find(Some(Path::new("no-such-folder")), nothing).unwrap();
        assert_eq!(found.home, Some(std::env::current_dir().unwrap().join("no-such-folder")));
    }

    #[test]
    fn unusable_homes_are_refused_and_named() {
        let bytes = OsString::from_vec(vec![b'/', 0xff]);
        let get = |name: &str| (name == "BUTTERFLY_HOME").then(|| bytes.clone());
        assert!(matches!(Instance::find(Some(Path::new(&bytes)), nothing), Err(StartError::NoText(_))));
        assert!(matches!(Instance::find(None, get), Err(StartError::NoText(_))));
        assert!(matches!(Instance::find(Some(Path::new("")), nothing), Err(StartError::EmptyHome)));
        assert!(matches!(Instance::find(None, nothing), Err(StartError::Place(_))));
    }
}

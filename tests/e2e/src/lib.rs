//! End-to-end tests: everything is in `tests/`, one program per subject. This library is empty; cargo wants a target.

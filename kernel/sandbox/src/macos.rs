//! The macOS back end: a seatbelt profile, and `sandbox-exec` to put it in force.

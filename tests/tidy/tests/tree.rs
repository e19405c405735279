//! The rules, applied to this repository as it stands.

#![allow(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself")]

use butterfly_tidy::packages::{self, Package};
use butterfly_tidy::tree::Tree;
use butterfly_tidy::{Violation, adr, claims, codec, layers, links, lints, machine, shape, unsafety};
use std::path::PathBuf;

fn root() -> PathBuf {
    // The runner's variable comes first: a program built in another checkout that shares the target folder would
    // otherwise look at that one.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    PathBuf::from(here).join("../..")
}

fn tree() -> Tree {
    Tree::read(&root()).unwrap()
}

fn packages() -> Vec<Package> {
    packages::read(&root()).unwrap()
}

fn linked() -> Vec<Package> {
    packages::read_linked(&root()).unwrap()
}

#[track_caller]
fn assert_none(violations: Vec<Violation>) {
    let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "{} to put right:\n  {}\n", lines.len(), lines.join("\n  "));
}

#[test]
fn the_rules_see_this_repository() {
    // Rules over an empty list would all hold.
    let (tree, packages) = (tree(), linked());
    assert!(tree.texts(".rs").count() > 20 && tree.text("ipc/wire/src/codec.rs").is_some());
    let kernel = packages.iter().find(|package| package.folder == "kernel").unwrap();
    assert!(kernel.closure.contains("butterfly-wire") && kernel.closure.contains("tokio"), "{kernel:?}");
}

#[test]
fn the_top_level_is_what_it_is() {
    assert_none(shape::top_level(&tree()));
}

#[test]
fn every_source_file_opens_with_its_purpose() {
    assert_none(shape::openings(&tree()));
}

#[test]
fn no_source_file_is_too_long() {
    assert_none(shape::lengths(&tree()));
}

#[test]
fn kernel_workers_and_desktop_stand_on_ipc_alone() {
    assert_none(layers::crossings(&linked()));
}

#[test]
fn the_kernel_stays_small_and_blind() {
    assert_none(layers::kernel_weight(&linked()));
}

#[test]
fn the_wire_stays_a_vocabulary() {
    assert_none(layers::wire_weight(&packages()));
}

#[test]
fn heavy_packages_stay_in_their_process() {
    assert_none(layers::heavy(&linked()));
}

#[test]
fn unsafe_stays_in_its_places_and_is_argued() {
    assert_none(unsafety::check(&tree()));
}

#[test]
fn every_package_takes_the_workspaces_lints() {
    let packages = packages();
    assert_none(lints::inherited(&tree(), packages.iter().map(|package| package.folder.as_str())));
}

#[test]
fn the_workspace_forbids_unwrap_and_nobody_switches_that_off() {
    assert_none(lints::asked_for(&tree()));
    assert_none(lints::switched_off(&tree()));
}

#[test]
fn bincode_is_called_in_one_file() {
    assert_none(codec::check(&tree()));
}

#[test]
fn links_between_pages_resolve() {
    assert_none(links::check(&tree()));
}

#[test]
fn tests_that_pages_name_are_there() {
    assert_none(claims::check(&tree()));
}

#[test]
fn decision_records_are_numbered_and_listed() {
    assert_none(adr::check(&tree()));
}

#[test]
fn no_file_names_a_folder_of_one_machine() {
    assert_none(machine::check(&tree()));
}

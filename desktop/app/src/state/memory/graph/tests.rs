//! The graph's state, its filters and its layout.

use super::picture::tests::mona;
use super::*;

const SIZE: Size = Size { width: 900.0, height: 700.0 };

fn laid(state: &mut State) {
    let Effect::Graph { request, .. } = state.read() else { panic!("it reads") };
    state.reduce(Event::Laid { request, result: Ok(lay_out(mona())) });
}

fn shown() -> State {
    let mut state = State::default();
    state.reduce(Event::Resized(SIZE));
    laid(&mut state);
    state
}

fn place(state: &State, node: u32) -> Point {
    state.camera.to_screen(state.picture.value().unwrap().places[node as usize])
}

#[test]
fn everything_is_asked_for_unless_an_entity_is() {
    let mut state = State::default();
    let Effect::Graph { graph, .. } = state.read() else { panic!() };
    assert_eq!((graph.around, graph.depth, graph.limit), (None, 4, 2000));
    let effects = state.reduce(Event::Around(Some("Mona".into())));
    let [Outer::Memory(Effect::Graph { graph, .. })] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((graph.around.as_deref(), graph.depth), (Some("Mona"), 2));
}

#[test]
fn a_late_reply_is_dropped() {
    let mut state = State::default();
    let Effect::Graph { request: old, .. } = state.read() else { panic!() };
    let Effect::Graph { request: new, .. } = state.read() else { panic!() };
    state.reduce(Event::Laid { request: new, result: Ok(lay_out(mona())) });
    let empty = GraphView { nodes: Vec::new(), edges: Vec::new(), cut: false };
    state.reduce(Event::Laid { request: old, result: Ok(lay_out(empty)) });
    assert_eq!(state.picture.value().unwrap().nodes.len(), 6);
    assert!(!state.picture.is_loading());
}

#[test]
fn it_is_fitted_when_both_its_places_and_the_windows_size_are_known() {
    let in_sight = |state: &State| {
        (0..6)
            .map(|node| place(state, node))
            .all(|at| (0.0..SIZE.width).contains(&at.x) && (0.0..SIZE.height).contains(&at.y))
    };
    assert!(in_sight(&shown()));
    let mut late = State::default();
    laid(&mut late);
    late.reduce(Event::Resized(SIZE));
    assert!(in_sight(&late));
    // Whoever looks somewhere is left there when it is read again.
    late.reduce(Event::Pan { x: 5000.0, y: 0.0 });
    laid(&mut late);
    assert!(!in_sight(&late));
    late.reduce(Event::Fit);
    assert!(in_sight(&late));
}

#[test]
fn a_click_selects_what_is_there_and_beside_it_nothing() {
    let mut state = shown();
    state.reduce(Event::Click(place(&state, 4)));
    assert_eq!(state.selected, Some(4));
    state.reduce(Event::Hover(Some(place(&state, 0))));
    assert_eq!(state.hovered, Some(0));
    state.reduce(Event::Hover(None));
    assert_eq!(state.hovered, None);
    state.reduce(Event::Click(Point { x: -4000.0, y: 0.0 }));
    assert_eq!(state.selected, None);
}

#[test]
fn a_selection_outlives_a_new_reading_but_not_its_node() {
    let mut state = shown();
    state.reduce(Event::Visit(3));
    laid(&mut state);
    assert_eq!(state.selected, Some(3));
    assert_eq!(state.selected_fact(), Some(2));
    let mut without = mona();
    without.nodes.truncate(3);
    let Effect::Graph { request, .. } = state.read() else { panic!() };
    state.reduce(Event::Laid { request, result: Ok(lay_out(without)) });
    assert_eq!(state.selected, None);
}

#[test]
fn what_the_filter_hides_is_neither_found_nor_selected_nor_below_the_pointer() {
    let mut state = shown();
    state.reduce(Event::Find("york".into()));
    assert_eq!(*state.found, [3, 4]);
    state.reduce(Event::Visit(3));
    state.reduce(Event::Toggle(NodeKind::Fact));
    assert_eq!((state.selected, state.found.as_slice()), (None, [4].as_slice()));
    state.reduce(Event::Click(place(&state, 3)));
    assert_ne!(state.selected, Some(3));
    state.reduce(Event::At(Some(1000)));
    assert!(state.found.is_empty());
    assert_eq!(state.visible.iter().filter(|seen| **seen).count(), 2);
}

#[test]
fn enter_goes_through_what_was_found_and_begins_anew() {
    let mut state = shown();
    state.reduce(Event::Next);
    assert_eq!(state.selected, None, "nothing is looked for");
    state.reduce(Event::Find("york".into()));
    for (node, at) in [(3, 1), (4, 2), (3, 1)] {
        state.reduce(Event::Next);
        assert_eq!((state.selected, state.place_in_found()), (Some(node), Some(at)));
        let middle = place(&state, node);
        assert!((middle.x - 450.0).abs() < 1e-6 && (middle.y - 350.0).abs() < 1e-6);
    }
}

#[test]
fn the_selected_node_leads_to_where_it_was_said() {
    let mut state = shown();
    assert!(state.reduce(Event::Source).is_empty());
    state.reduce(Event::Visit(3));
    let effects = state.reduce(Event::Source);
    let [Outer::Then(event)] = effects.as_slice() else { panic!("{effects:?}") };
    let crate::state::Event::Memory(super::super::Event::Sheet(sheet::Event::Source(102))) = **event else {
        panic!("{event:?}")
    };
}

#[test]
fn the_list_has_what_is_seen_or_what_was_found() {
    let mut state = shown();
    assert_eq!(state.listed().len(), 6);
    state.reduce(Event::Toggle(NodeKind::Entity));
    assert_eq!(state.listed().len(), 3);
    state.reduce(Event::Find("concert".into()));
    assert_eq!(state.listed(), [5]);
    state.reduce(Event::AsList(true));
    state.reduce(Event::MoreRows);
    assert_eq!(state.rows, 2 * ROWS);
}

#[test]
fn the_wheel_zooms_at_the_pointer() {
    let mut state = shown();
    let at = place(&state, 5);
    let before = state.camera.scale;
    state.reduce(Event::Wheel { at, by: -300.0 });
    assert!(state.camera.scale > before * 1.5);
    let now = place(&state, 5);
    assert!((now.x - at.x).hypot(now.y - at.y) < 1e-6);
    state.reduce(Event::ZoomOut);
    state.reduce(Event::ZoomIn);
    assert!(state.camera.glides);
}

#[test]
fn what_is_selected_stays_in_sight_when_the_pane_takes_its_room() {
    let mut state = shown();
    state.reduce(Event::Pan { x: 850.0 - place(&state, 2).x, y: 350.0 - place(&state, 2).y });
    state.reduce(Event::Click(Point { x: 850.0, y: 350.0 }));
    assert_eq!(state.selected, Some(2));
    state.reduce(Event::Resized(Size { width: 600.0, ..SIZE }));
    assert!((0.0..600.0).contains(&place(&state, 2).x));
}

//! The model worker dies, is away, or declares an error.

use crate::model::{Scripted, Step, fail, started, text, thinking};
use crate::{brains_asking, say, turn};
use butterfly_api::model::{Cause, ModelError, Role};
use butterfly_wire::ErrorCode;

#[tokio::test(start_paused = true)]
async fn death_before_any_text_is_outlived_with_one_notice() {
    let model = Scripted::new([
        vec![fail(ErrorCode::Unavailable)],
        vec![started(8192), thinking("let me"), fail(ErrorCode::PeerDied)],
        vec![fail(ErrorCode::Unavailable)],
        vec![started(8192), text("here I am")],
    ]);
    let bus = brains_asking(&model);
    let seen = turn(&bus, say(None, "hi")).await;
    assert_eq!(seen.text(), "here I am");
    assert_eq!(seen.notices().len(), 1);
    assert!(seen.notices()[0].contains("restarted"));
    assert!(seen.end.is_ok());
    assert_eq!(model.asked().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn worker_that_stays_away_ends_the_turn_with_its_own_failure() {
    let model = Scripted::new((0..20).map(|_| vec![fail(ErrorCode::Unavailable)]));
    let bus = brains_asking(&model);
    let seen = turn(&bus, say(None, "hi")).await;
    assert_eq!(seen.notices().len(), 1);
    let failure = seen.end.unwrap_err();
    assert_eq!(failure.code, ErrorCode::Unavailable);
    assert!(failure.message.contains("of the script's"));
    assert_eq!(model.asked().len(), 8, "once, and after each of seven pauses");
}

#[tokio::test]
async fn death_in_mid_answer_is_said_and_not_repeated_and_the_next_question_works() {
    let model = Scripted::new([
        vec![started(8192), text("half an ans"), fail(ErrorCode::PeerDied)],
        vec![started(8192), text("whole")],
    ]);
    let bus = brains_asking(&model);
    let seen = turn(&bus, say(None, "hi")).await;
    assert_eq!(seen.text(), "half an ans");
    assert_eq!(seen.notices(), ["The model worker stopped in mid-answer and is being restarted; ask again."]);
    let failure = seen.end.as_ref().unwrap_err();
    assert_eq!(failure.code, ErrorCode::PeerDied);
    assert_eq!(model.asked().len(), 1, "nothing is asked twice once text was forwarded");
    let next = turn(&bus, say(Some(seen.conversation()), "again")).await;
    assert_eq!(next.text(), "whole");
    assert_eq!(model.told(1)[1], (Role::Assistant, "half an ans\n[This answer was interrupted here.]".to_owned()));
}

#[tokio::test]
async fn declared_errors_pass_through_and_leave_no_question_behind() {
    let error = ModelError::new(
        Cause::ModelMissing { model: "m".to_owned() },
        "The model m is not installed; fetch it with `butterfly model pull m`.",
    );
    let model = Scripted::new([vec![Step::Fail(error.clone().into())], vec![started(8192), text("ok")]]);
    let bus = brains_asking(&model);
    let seen = turn(&bus, say(None, "hi")).await;
    let failure = seen.end.as_ref().unwrap_err();
    assert_eq!(failure.code, ErrorCode::Declared);
    assert_eq!(failure.message, error.message);
    assert_eq!(ModelError::from_failure(failure), Some(error));
    turn(&bus, say(Some(seen.conversation()), "again")).await;
    assert_eq!(model.told(1), [(Role::User, "again".to_owned())]);
}

#[tokio::test]
async fn declared_error_in_mid_answer_keeps_what_was_said() {
    let error = ModelError::new(Cause::MidStream, "The server reported an error in the middle of its answer.");
    let model = Scripted::new([
        vec![started(8192), text("half"), Step::Fail(error.clone().into())],
        vec![started(8192), text("ok")],
    ]);
    let bus = brains_asking(&model);
    let seen = turn(&bus, say(None, "hi")).await;
    assert_eq!(seen.end.as_ref().unwrap_err().message, error.message);
    turn(&bus, say(Some(seen.conversation()), "again")).await;
    assert_eq!(model.told(1)[1].1, "half\n[This answer was interrupted here.]");
}

#[tokio::test]
async fn busy_and_denied_are_no_reason_to_ask_again() {
    for code in [ErrorCode::Busy, ErrorCode::Denied, ErrorCode::DeadlineExceeded, ErrorCode::Internal] {
        let model = Scripted::new([vec![fail(code)]]);
        let seen = turn(&brains_asking(&model), say(None, "hi")).await;
        assert_eq!(seen.end.unwrap_err().code, code);
        assert_eq!(model.asked().len(), 1);
    }
}

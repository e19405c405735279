//! Prints recall and reciprocal rank of words alone, vectors alone, and both fused.

use anyhow::{Context, Result, bail};
use butterfly_recall::Weights;
use butterfly_recall_harness::embed::Embedder;
use butterfly_recall_harness::exchange;
use butterfly_recall_harness::fixture::Fixture;
use butterfly_recall_harness::measure::{AT, Figures};
use butterfly_recall_harness::run::{By, Library, Where};
use butterfly_recall_harness::vectors::Vectors;
use std::path::{Path, PathBuf};
use std::rc::Rc;

const HELP: &str = "recall: measures search on the fixture

  recall                              with a stand-in for vectors: it exercises the code, and its figures mean nothing
  recall --embed-url http://HOST:PORT with vectors of a server that has Ollama's /api/embed
         --model NAME                 its model (all-minilm)
         --keep FILE                  keeps the vectors there for the next run
         --weight NAME=NUMBER         word, meaning, link, recency, tag or neighbour; may be given again
         --misses                     names the questions whose answer is not among the first ten

  recall --export FOLDER              writes the fixture for `butterfly memory import` and `memory search --batch -k 20`:
                                      fixture-* as it is, dialogue-* as one long dialogue of the same two
  recall --judge WHICH=FILE           judges what that search wrote; WHICH is fixture or dialogue; may be given again";

/// What is searched, in the order of the report.
const FIXTURE: &str = "fixture";
const DIALOGUE: &str = "dialogue";

#[derive(Default)]
struct Options {
    url: Option<String>,
    model: Option<String>,
    keep: Option<PathBuf>,
    weights: Weights,
    misses: bool,
    export: Option<PathBuf>,
    judged: Vec<String>,
}

fn main() -> Result<()> {
    let mut options = Options::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().with_context(|| format!("{argument} wants a value; see --help"));
        match argument.as_str() {
            "--embed-url" => options.url = Some(value()?),
            "--model" => options.model = Some(value()?),
            "--keep" => options.keep = Some(value()?.into()),
            "--weight" => weigh(&mut options.weights, &value()?)?,
            "--misses" => options.misses = true,
            "--export" => options.export = Some(value()?.into()),
            "--judge" => options.judged.push(value()?),
            "--help" | "-h" => {
                println!("{HELP}");
                return Ok(());
            }
            _ => bail!("{argument} is no option; see --help"),
        }
    }
    let fixture = Fixture::read()?;
    let dialogue = fixture.as_one_dialogue();
    if let Some(folder) = &options.export {
        exchange::export(&fixture, FIXTURE, folder)?;
        return exchange::export(&dialogue, DIALOGUE, folder);
    }
    if !options.judged.is_empty() {
        return judge(&options.judged, &fixture, &dialogue);
    }
    measure(&options, &fixture, &dialogue)
}

/// Judges what the program itself found.
fn judge(files: &[String], fixture: &Fixture, dialogue: &Fixture) -> Result<()> {
    head();
    for judged in files {
        let (which, path) = judged.split_once('=').context("--judge wants WHICH=FILE; see --help")?;
        let asked = match which {
            FIXTURE => fixture,
            DIALOGUE => dialogue,
            _ => bail!("{which} is neither {FIXTURE} nor {DIALOGUE}"),
        };
        let text = std::fs::read_to_string(path).with_context(|| path.to_owned())?;
        let name = Path::new(path).file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        report(asked, &exchange::rankings(asked, &text)?, &name, "program");
    }
    Ok(())
}

fn measure(options: &Options, fixture: &Fixture, dialogue: &Fixture) -> Result<()> {
    let model = options.model.as_deref().unwrap_or("all-minilm");
    let embedder = match &options.url {
        Some(url) => Embedder::server(url, model)?,
        None => Embedder::StandIn,
    };
    let vectors = Rc::new(match &options.keep {
        Some(path) => Vectors::kept(embedder, path)?,
        None => Vectors::new(embedder),
    });
    let apart = fixture.questions.iter().filter(|question| !fixture.shares_words(question)).count();
    println!(
        "{} turns, {} questions, {apart} of which share no word with their answer",
        fixture.turns.len(),
        fixture.questions.len(),
    );
    match &options.url {
        Some(url) => println!("vectors: {model} at {url}"),
        None => println!("vectors: STAND-IN (hashed words, no meaning): no figure below with vectors means anything"),
    }
    head();
    for (asked, place, place_name) in [
        (fixture, Where::Everywhere, "everything"),
        (fixture, Where::Conversation, "conversation"),
        (dialogue, Where::Conversation, DIALOGUE),
    ] {
        let library = Library::new(asked, Rc::clone(&vectors), options.weights)?;
        for (by, by_name) in [(By::Words, "words"), (By::Meaning, "vectors"), (By::Both, "both")] {
            let rankings = library.rankings(&asked.questions, by, place)?;
            report(asked, &rankings, place_name, by_name);
            if options.misses && by == By::Both {
                misses(asked, &rankings);
            }
        }
    }
    Ok(())
}

fn head() {
    let places = AT.map(|at| format!("{:>7}", format!("@{at}"))).join("");
    println!("{:<14}{:<10}{:<10}{:>5}{places}  MRR", "searched", "by", "questions", "");
}

fn report(asked: &Fixture, rankings: &[Vec<String>], place: &str, by: &str) {
    let evidence: Vec<Vec<String>> = asked.questions.iter().map(|question| question.named_evidence()).collect();
    let apart: Vec<bool> = asked.questions.iter().map(|question| !asked.shares_words(question)).collect();
    for (which, name) in [(None, "all"), (Some(false), "shared"), (Some(true), "apart")] {
        let chosen = (0..rankings.len()).filter(|place| which.is_none_or(|which| which == apart[*place]));
        let figures = Figures::of(chosen.map(|place| (rankings[place].as_slice(), evidence[place].as_slice())));
        let recall = figures.recall.map(|recall| format!("{:>7.1}", 100.0 * recall)).join("");
        println!("{place:<14}{by:<10}{name:<10}{:>5}{recall}  {:.3}", figures.questions, figures.reciprocal_rank);
    }
}

/// Names the questions that ten results do not answer.
fn misses(asked: &Fixture, rankings: &[Vec<String>]) {
    let [_, ten, _] = AT;
    for (question, ranking) in asked.questions.iter().zip(rankings) {
        for id in question.named_evidence() {
            match ranking.iter().position(|found| *found == id) {
                Some(place) if place < ten => {}
                Some(place) => println!("  missed, at {}: {id}: {}", place + 1, question.text),
                None => println!("  missed: {id}: {}", question.text),
            }
        }
    }
}

fn weigh(weights: &mut Weights, text: &str) -> Result<()> {
    let Some((name, number)) = text.split_once('=') else { bail!("{text} is not NAME=NUMBER") };
    let number: f32 = number.parse()?;
    match name {
        "word" => weights.word = number,
        "meaning" => weights.meaning = number,
        "link" => weights.link = number,
        "recency" => weights.recency = number,
        "tag" => weights.tag = number,
        "neighbour" => weights.neighbour = number,
        _ => bail!("{name} is no weight; see --help"),
    }
    Ok(())
}

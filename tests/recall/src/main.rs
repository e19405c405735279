//! Prints recall and reciprocal rank of words alone, vectors alone, and both fused.

use anyhow::{Result, bail};
use butterfly_recall::Weights;
use butterfly_recall_harness::embed::Embedder;
use butterfly_recall_harness::fixture::{Fixture, Question};
use butterfly_recall_harness::measure::{AT, Figures};
use butterfly_recall_harness::run::{By, Library, Where};

const HELP: &str = "recall: measures search on the fixture

  recall                              with a stand-in for vectors: it exercises the code, and its figures mean nothing
  recall --embed-url http://HOST:PORT with vectors of a server that has Ollama's /api/embed
         --model NAME                 its model (all-minilm)
         --weight NAME=NUMBER         word, meaning, link, recency, tag or neighbour; may be given again";

fn main() -> Result<()> {
    let mut url = None;
    let mut model = "all-minilm".to_owned();
    let mut weights = Weights::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| anyhow::anyhow!("{argument} wants a value; see --help"));
        match argument.as_str() {
            "--embed-url" => url = Some(value()?),
            "--model" => model = value()?,
            "--weight" => weigh(&mut weights, &value()?)?,
            "--help" | "-h" => {
                println!("{HELP}");
                return Ok(());
            }
            _ => bail!("{argument} is no option; see --help"),
        }
    }
    let embedder = match &url {
        Some(url) => Embedder::server(url, &model)?,
        None => Embedder::StandIn,
    };
    let fixture = Fixture::read()?;
    let library = Library::new(&fixture, embedder, weights)?;
    let apart: Vec<bool> = fixture.questions.iter().map(|question| !fixture.shares_words(question)).collect();
    println!(
        "{} turns, {} questions, {} of which share no word with their answer",
        fixture.turns.len(),
        fixture.questions.len(),
        apart.iter().filter(|apart| **apart).count()
    );
    match &url {
        Some(url) => println!("vectors: {model} at {url}"),
        None => println!("vectors: STAND-IN (hashed words, no meaning): no figure below with vectors means anything"),
    }
    println!(
        "{:<14}{:<10}{:<12}{}  MRR",
        "searched",
        "by",
        "questions",
        AT.map(|at| format!("{:>7}", format!("@{at}"))).join("")
    );
    for (place, where_name) in [(Where::Everywhere, "everything"), (Where::Conversation, "conversation")] {
        for (by, by_name) in [(By::Words, "words"), (By::Meaning, "vectors"), (By::Both, "both")] {
            let rankings = library.rankings(&fixture.questions, by, place)?;
            for (which, which_name) in [(None, "all"), (Some(false), "shared"), (Some(true), "apart")] {
                let figures = figures(&fixture.questions, &rankings, &apart, which);
                let recall = figures.recall.map(|recall| format!("{:>7.1}", 100.0 * recall)).join("");
                println!("{where_name:<14}{by_name:<10}{which_name:<12}{recall}  {:.3}", figures.reciprocal_rank);
            }
        }
    }
    Ok(())
}

fn figures(questions: &[Question], rankings: &[Vec<String>], apart: &[bool], which: Option<bool>) -> Figures {
    let evidence: Vec<Vec<String>> = questions
        .iter()
        .map(|question| question.evidence.iter().map(|id| format!("{}/{id}", question.conversation)).collect())
        .collect();
    let chosen = (0..questions.len()).filter(|place| which.is_none_or(|which| which == apart[*place]));
    Figures::of(chosen.map(|place| (rankings[place].as_slice(), evidence[place].as_slice())))
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

//! The live table: what changed between two status tables, as rates.

use crate::paint::{Paint, Role};
use crate::render::status::{if_alive, remarks, state_role};
use crate::render::table::{Align, Cell, Table};
use crate::render::units;
use crate::text;
use butterfly_wire::control::{Status, WorkerStatus};

/// One redraw. `earlier` is the table before this one; without it there are no rates.
#[must_use]
pub fn text(now: &Status, earlier: Option<&Status>, paint: Paint, columns: Option<usize>) -> String {
    let kernel = &now.kernel;
    let elapsed_ms = earlier.map_or(0, |earlier| kernel.uptime_ms.saturating_sub(earlier.kernel.uptime_ms));
    let kernel_cpu = earlier.and_then(|earlier| per_cent(kernel.cpu_ms, earlier.kernel.cpu_ms, elapsed_ms));
    let line = format!(
        "{}  pid {}, up {}, {}, CPU {}, {}",
        paint.apply(Role::Strong, "kernel"),
        kernel.pid,
        units::milliseconds(kernel.uptime_ms),
        units::bytes(kernel.rss_bytes),
        kernel_cpu.unwrap_or_else(dash),
        units::count(u64::from(kernel.clients), "client"),
    );
    let mut table = Table::new(&[
        ("WORKER", Align::Flexible),
        ("STATE", Align::Left),
        ("GEN", Align::Right),
        ("RESTARTS", Align::Right),
        ("MEMORY", Align::Right),
        ("CPU", Align::Right),
        ("MSG/S", Align::Right),
        ("QUEUED", Align::Right),
        ("CALLS", Align::Right),
        ("OLDEST", Align::Right),
    ]);
    for worker in &now.workers {
        // Rates across a restart would compare two processes.
        let before = earlier.and_then(|earlier| earlier.workers.iter().find(|old| old.endpoint == worker.endpoint));
        table.row(vec![
            Cell::of(Role::Strong, text::escaped(&worker.name)),
            Cell::of(state_role(&worker.state), worker.state.name()),
            worker.generation.to_string().into(),
            worker.restarts.to_string().into(),
            if_alive(worker, || units::bytes(worker.rss_bytes)),
            if_alive(worker, || {
                before.and_then(|old| per_cent(worker.cpu_ms, old.cpu_ms, elapsed_ms)).unwrap_or_else(dash)
            }),
            if_alive(worker, || before.and_then(|old| rate(worker, old, elapsed_ms)).unwrap_or_else(dash)),
            units::bytes(worker.queue_bytes).into(),
            worker.in_flight.to_string().into(),
            if worker.in_flight == 0 {
                Cell::of(Role::Muted, "–")
            } else {
                units::short_milliseconds(worker.oldest_in_flight_ms).into()
            },
        ]);
    }
    let mut lines = vec![line, String::new(), table.render(paint, columns)];
    let remarks = remarks(now, paint);
    if !remarks.is_empty() {
        lines.push(String::new());
        lines.extend(remarks);
    }
    lines.join("\n")
}

fn dash() -> String {
    "–".to_owned()
}

/// Share of one processor, between two readings.
fn per_cent(now_ms: u64, before_ms: u64, elapsed_ms: u64) -> Option<String> {
    let spent = now_ms.checked_sub(before_ms)?;
    (elapsed_ms > 0).then(|| format!("{:.1} %", spent as f64 * 100.0 / elapsed_ms as f64))
}

/// Messages to and from a worker in a second, between two readings.
fn rate(now: &WorkerStatus, before: &WorkerStatus, elapsed_ms: u64) -> Option<String> {
    let sum = |worker: &WorkerStatus| worker.messages_in + worker.messages_out;
    let moved = sum(now).checked_sub(sum(before))?;
    (elapsed_ms > 0).then(|| format!("{:.1}", moved as f64 * 1000.0 / elapsed_ms as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::status::tests::sample;

    #[test]
    fn rates_are_between_two_readings_of_the_same_process() {
        let before = sample();
        let mut now = sample();
        now.kernel.uptime_ms += 2000;
        now.kernel.cpu_ms += 20;
        now.workers[0].cpu_ms += 500;
        now.workers[0].messages_in += 30;
        now.workers[0].messages_out += 5;
        let shown = text(&now, Some(&before), Paint::new(false), None);
        insta::assert_snapshot!(shown, @r"
        kernel  pid 41, up 1 min 8 s, 6.0 MiB, CPU 1.0 %, 1 client

        WORKER     STATE    GEN  RESTARTS    MEMORY     CPU  MSG/S   QUEUED  CALLS  OLDEST
        model      ready      2         1  12.0 MiB  25.0 %   17.5  2.0 KiB      1   1.5 s
        brains     held       2         1         –       –      –  2.0 KiB      1   1.5 s
        scheduler  backoff    2         1         –       –      –  2.0 KiB      1   1.5 s

        reduced: model lacks what this system cannot enforce: audit flags.
        held: brains: it failed 5 times\x1b[2J in 60 s. Start it again with `butterfly restart brains`.
        backoff: scheduler failed and is started again in 400 ms; `butterfly crashes` says why.
        note: the kernel was started by root
        ");
        now.workers[0].endpoint.generation += 1;
        assert!(!text(&now, Some(&before), Paint::new(false), None).contains("25.0 %"));
        assert!(!text(&now, None, Paint::new(false), None).contains(" %"));
    }
}

//! Hands: keys and mouse, as the X server has them from a person (XTEST, through xdotool).

use crate::process;
use crate::stage::Stage;
use anyhow::bail;

/// One command of xdotool.
async fn xdotool(stage: &Stage, arguments: &[&str]) -> anyhow::Result<String> {
    let mut command = stage.command(&process::find("xdotool", "xdotool")?);
    command.args(arguments);
    Ok(String::from_utf8_lossy(&process::output(command).await?.stdout).trim().to_owned())
}

/// Presses keys together, written as the app writes them, such as `Ctrl+Shift+O`.
///
/// # Errors
/// Where they are no keys.
pub async fn press(stage: &Stage, chord: &str) -> anyhow::Result<()> {
    xdotool(stage, &["key", &keysyms(chord)?]).await.map(drop)
}

/// Types a text, a line break as Enter.
///
/// # Errors
/// Where the screen is gone.
pub async fn write(stage: &Stage, text: &str) -> anyhow::Result<()> {
    xdotool(stage, &["type", "--delay", "8", "--", text]).await.map(drop)
}

/// Moves the pointer.
///
/// # Errors
/// Where the screen is gone.
pub async fn point(stage: &Stage, (x, y): (i32, i32)) -> anyhow::Result<()> {
    xdotool(stage, &["mousemove", "--sync", &x.to_string(), &y.to_string()]).await.map(drop)
}

/// Points, and clicks a moment later, as a hand does: a page that draws anew just then may not know yet what it is that
/// the pointer has come to.
///
/// # Errors
/// Where the screen is gone.
pub async fn click(stage: &Stage, (x, y): (i32, i32)) -> anyhow::Result<()> {
    let (x, y) = (x.to_string(), y.to_string());
    xdotool(stage, &["mousemove", &x, &y, "sleep", "0.05", "mousedown", "1", "sleep", "0.03", "mouseup", "1"])
        .await
        .map(drop)
}

/// Clicks where the pointer is.
///
/// # Errors
/// Where the screen is gone.
pub async fn click_here(stage: &Stage) -> anyhow::Result<()> {
    xdotool(stage, &["click", "1"]).await.map(drop)
}

/// Chords in xdotool's words (keysyms of X11).
fn keysyms(chord: &str) -> anyhow::Result<String> {
    let (held, key) = match chord.strip_suffix("++") {
        Some(held) => (held, "+"),
        None => chord.rsplit_once('+').unwrap_or(("", chord)),
    };
    let key = match key {
        "," => "comma",
        "/" => "slash",
        "." => "period",
        "+" => "plus",
        "Esc" => "Escape",
        "Enter" => "Return",
        "Space" => "space",
        "ArrowUp" => "Up",
        "ArrowDown" => "Down",
        "ArrowLeft" => "Left",
        "ArrowRight" => "Right",
        "PageUp" => "Prior",
        "PageDown" => "Next",
        "Tab" | "Home" | "End" | "Delete" | "BackSpace" => key,
        key if key.len() > 1 && key.starts_with('F') => key,
        key if key.len() == 1 => &key.to_lowercase(),
        other => bail!("{other:?} is no key that the tests know"),
    };
    let held: Vec<_> = held.split('+').filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    Ok(held.into_iter().chain([key.to_owned()]).collect::<Vec<_>>().join("+"))
}

#[cfg(test)]
mod tests {
    use super::keysyms;

    #[test]
    fn chords_become_keysyms() {
        let pairs = [
            ("Ctrl+Shift+O", "ctrl+shift+o"),
            ("Ctrl+,", "ctrl+comma"),
            ("Esc", "Escape"),
            ("Shift+Tab", "shift+Tab"),
            ("Ctrl++", "ctrl+plus"),
            ("F2", "F2"),
            ("Alt+F4", "alt+F4"),
        ];
        for (chord, wanted) in pairs {
            assert_eq!(keysyms(chord).unwrap(), wanted);
        }
        assert!(keysyms("Ctrl+Nonsense").is_err());
    }
}

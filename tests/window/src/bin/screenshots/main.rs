//! `butterfly-screenshots [FOLDER]`: a picture of every view in both themes, as PNG, into a folder (`docs/images` if none
//! is named). The app, the kernel and the workers are the real ones; the model server says what stands here.

use butterfly_kit::model_server::{Endpoint, Installed, ModelServer, Scenario};
use butterfly_window::{App, Options, Stage, run};
use std::path::{Path, PathBuf};

/// What the model server says it has.
const MODEL: &str = "qwen3:8b";

const QUESTION: &str = "How do I keep the tomatoes on my balcony alive while I am away for ten days?";

const ANSWER: &str = "Ten days is no trouble if the pots **start wet and stay shaded**.

| when | do |
|---|---|
| two days before | water until it runs out below, twice |
| on the day | move the pots together, away from the wall |
| while away | 1 litre a plant every two days, from a bottle or a wick |

- Take off fruit that is nearly ripe: the plant drinks less.
- Mulch with straw or cardboard, three fingers deep.

How much water that is:

```python
plants, days = 6, 10
print(plants * days / 2, \"litres\")  # 30.0 litres
```
";

fn main() -> anyhow::Result<()> {
    let folder = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("docs/images"), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    for theme in ["light", "dark"] {
        run(pictures(theme, &folder))?;
    }
    Ok(())
}

/// All views in one theme.
async fn pictures(theme: &str, folder: &Path) -> anyhow::Result<()> {
    let stage = Stage::raise().await?;
    let server = ModelServer::start().await?;
    server.install(Installed::chat(MODEL));
    server.always(Endpoint::Chat, Scenario::say(ANSWER));
    let app = App::ready(&stage, Options::model(&server).with("BUTTERFLY_DESKTOP_THEME", theme)).await?;
    let picture = |name: &str| folder.join(format!("{name}-{theme}.png"));
    app.sees(MODEL).await?;
    app.shot(&picture("chat-empty")).await?;
    app.click_id("composer").await?;
    app.focused("composer").await?;
    app.write(QUESTION).await?;
    app.press("Enter").await?;
    app.sees("30.0 litres").await?;
    app.until("the answer is over", |tree| tree.id("stop").is_none().then_some(())).await?;
    app.shot(&picture("chat")).await?;
    for (view, tab, words) in [
        ("memory", "search", "Find anything that was said or noted"),
        ("memory", "timeline", "tomatoes on my balcony"),
        ("diagnostics", "workers", "generation 1"),
        ("diagnostics", "security", "Full"),
    ] {
        app.click_id(&format!("view-{view}")).await?;
        app.click_id(&format!("tab-{tab}")).await?;
        app.sees(words).await?;
        app.shot(&picture(&format!("{view}-{tab}"))).await?;
    }
    app.click_id("view-settings").await?;
    app.sees("Export and import").await?;
    app.shot(&picture("settings")).await?;
    app.press("Ctrl+/").await?;
    app.sees("frame.palette").await?;
    app.shot(&picture("shortcuts")).await?;
    app.press("Ctrl+K").await?;
    app.until("the palette is open", |tree| tree.id("palette-query").map(|_| ())).await?;
    app.shot(&picture("palette")).await
}

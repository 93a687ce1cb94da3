//! Owns the check of a run's page: it is drawn again from the records and compared. Must not know
//! what is on it.

use std::path::{MAIN_SEPARATOR, Path};

use crate::error::Result;
use crate::report;
use crate::run::CONFIG;
use crate::util::files;

use super::Check;
use super::subject::Subject;

const PAGE: &str = "report.html";
/// Text before the path of the folder in a page.
const LABEL: &str = "<dt>run</dt><dd>";

/// Compares `report.html` with the page that this smallnet draws from the records of the run.
pub(super) fn check_page(subject: &Subject) -> Check {
    let path = subject.folder.path().join(PAGE);
    if !path.exists() {
        return Check::not_checked(PAGE, "the run has no page; `smallnet report` writes it");
    }
    let (claimed, found) = match files::read(&path).and_then(|claimed| Ok((claimed, draw(subject)?))) {
        Ok(pages) => pages,
        Err(error) => {
            return Check::not_checked(PAGE, format!("it cannot be drawn again: {}", error.message()));
        }
    };
    if is_same(&claimed, &found, &Place::new(&subject.info.experiment, subject.folder.path())) {
        return Check::ok(PAGE, "drawn again from the records, it is the same");
    }
    // Only what this smallnet would have drawn can be compared.
    let own = (env!("CARGO_PKG_VERSION"), crate::pipeline::GIT_COMMIT);
    match (subject.info.version.as_str(), subject.info.git_commit.as_deref()) == own {
        true => Check::failed(
            PAGE,
            "the page of these records",
            "another page; `smallnet report` writes it again",
        ),
        false => {
            Check::not_checked(PAGE, "another version of smallnet drew it; `smallnet report` draws it again")
        }
    }
}

/// Draws the page.
fn draw(subject: &Subject) -> Result<String> {
    let records = subject.folder.records()?;
    let layer = subject.model.as_ref().filter(|_| records.info.weights_sha256.is_some());
    let layer = layer.map(|model| model.first_layer()).transpose()?;
    report::page(&records, layer.as_ref())
}

/// Returns whether two pages are the same apart from the place of the run's folder, which may have been
/// moved. `place` is its place in the page `found`.
fn is_same(claimed: &str, found: &str, place: &Place) -> bool {
    if claimed == found {
        return true;
    }
    let Some(other) = place.of_page(claimed, found) else { return false };
    // A path with spaces is quoted in the command that repeats the run.
    let [mut moved, found] = [claimed, found].map(|page| page.replace('\'', ""));
    for (other, own) in other.parts().iter().zip(place.parts()) {
        moved = moved.replacen(other, &own, 1);
    }
    moved == found
}

/// The place of a run's folder as its page shows it.
struct Place {
    experiment: String,
    id: String,
    path: String,
    /// Character between the path and the name of a file. The page may be of another system.
    separator: char,
}

impl Place {
    fn new(experiment: &str, path: &Path) -> Self {
        let id = path.file_name().unwrap_or_default().to_string_lossy();
        Self {
            experiment: experiment.to_owned(),
            id: escape(&id),
            path: escape(&path.display().to_string()),
            separator: MAIN_SEPARATOR,
        }
    }

    /// Returns the place in the page `claimed`. It stands where this one is in the page `found`, after
    /// the same tags and before the next one.
    fn of_page(&self, claimed: &str, found: &str) -> Option<Self> {
        let at = |page: &str| Some(page.find(LABEL)? + LABEL.len());
        found.get(at(found)?..)?.starts_with(&self.path).then_some(())?;
        let path = claimed.get(at(claimed)?..)?.split('<').next().filter(|path| !path.is_empty())?;
        let id = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let is_separator = |separator: &char| claimed.contains(&format!("{path}{separator}{CONFIG}"));
        Some(Self {
            experiment: self.experiment.clone(),
            id: id.to_owned(),
            path: path.to_owned(),
            separator: ['/', '\\'].into_iter().find(is_separator).unwrap_or(MAIN_SEPARATOR),
        })
    }

    /// The parts of the page that name the place: the title, the entry, and the command.
    fn parts(&self) -> [String; 3] {
        let Self { experiment, id, path, separator } = self;
        let title = format!("<title>{experiment} {id}</title>");
        [title, format!("{LABEL}{path}<"), format!(" {path}{separator}{CONFIG}")]
    }
}

/// Escapes a text as pages do.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests;

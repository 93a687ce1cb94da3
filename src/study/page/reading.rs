//! Owns the explanation of a study's numbers for the readers of its page. A page has one
//! explanation, however many studies it shows.

use maud::{Markup, html};

use crate::study::page::{StudyPage, text};

/// Explains the tables and verdicts of these studies: intervals, probabilities, instability and,
/// for timed studies, times.
pub(crate) fn reading_note(studies: &[StudyPage<'_>]) -> Markup {
    let mut regions: Vec<String> = Vec::new();
    for region in studies.iter().map(|study| text::equivalence_region(study.summary)) {
        if !regions.contains(&region) {
            regions.push(region);
        }
    }
    let region = regions.join(" or ");
    let counts = studies.iter().map(|study| study.summary.configurations.len());
    let most = counts.max().unwrap_or(0);
    html! {
        div.note {
            p {
                "Accuracy: the mean over a configuration’s trials, on images that they did not learn from; ± sd is the \
                 standard deviation over the trials. The 95 % interval of the mean is Student’s t, corrected for \
                 trials that share images to learn from (Nadeau and Bengio 2003). A single trial has Wilson’s \
                 interval (1927): it is about the images of that one network, and knows nothing of other seeds."
            }
            @if most > 1 {
                p {
                    "Each configuration is compared with the best one trial by trial, by the Bayesian correlated t-test \
                     (Corani and Benavoli 2015; Benavoli, Corani, Demšar and Zaffalon 2017). It says how probable \
                     it is, the trials being as they are, that the configuration is worse by more than " (region) ", that the difference is smaller than that (the region of practical \
                     equivalence: nobody would choose by it), or that it is better by more. From 95 % on it is called practically \
                     equal or probably worse, else undecided. Undecided is not equal: the trials do not say which it is. pp stands for percentage points."
                }
                p {
                    "Each probability is of one comparison, and no correction for many comparisons is made: of \
                     twenty configurations called worse with 95 %, about one is not. And the best is the one with the highest of several means, so that luck has helped to choose it: its mean is \
                     on average too high (the winner’s curse), and another that is not probably worse may be as \
                     good a choice. results.json has the p-values of the corrected t-test as well, before and \
                     after Holm’s correction for all comparisons. The test images had no part in any of this."
                }
                p {
                    "Unstable is a configuration whose trials lie so far apart, compared with the best one’s, that \
                     chance does it in fewer than one of a hundred cases (F test of both variances), and whose \
                     standard deviation is above " (region) "; or some of whose trials \
                     diverged. Its mean is no promise for the next training."
                }
            }
            @if studies.iter().any(|study| study.summary.halving.is_some()) {
                p {
                    "Successive halving (Jamieson and Talwalkar 2016): all configurations are trained for a few epochs, the \
                     best of them for more, and so on. A configuration goes on or not by the mean over all of its trials, \
                     at the same epoch as the others of its rung, with the learning-rate schedule of the whole training. \
                     One that starts slowly may be stopped although it would have been the best. Those of the last rung \
                     owe their place to the same validation images, so luck has helped to choose them, too."
                }
            }
            @if studies.iter().any(|study| study.study.timing) {
                p {
                    "Times: configurations take turns, seed by seed, so that a machine that becomes slower does so for \
                     all of them. A trial’s time is the median of its epochs without the first, which warms up; \
                     shown are the median over the trials and the range. One configuration is called faster than \
                     another where the Mann-Whitney test over the trials gives a p-value below 0.05, which takes \
                     four trials of each at least; each pair is tested separately."
                }
            }
        }
    }
}

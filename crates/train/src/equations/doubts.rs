//! What the data do not tell about equations that were found.

use super::candidates::Candidates;
use super::linear_evidence::Move;
use super::search::{Found, THRESHOLD};
use crate::weak_constraint::LiftedModel;
use odesync_base::tables::format_number;

/// Difference of the scores below which two sets of terms are told apart badly: odds of 20 to 1.
const UNDECIDED: f64 = 3.0;
/// Probability that another set of terms is the right one above which the data do not determine the equations.
const MAX_OTHERS: f64 = 0.1;
/// Noise over that of the splines above which the equations do not follow the data.
pub(super) const MAX_NOISE_RATIO: f64 = 2.0;
/// Most sets, or terms, that are named.
const MAX_NAMED: usize = 4;

/// Returns the doubts as sentences, the gravest first.
pub(super) fn doubts(
    candidates: &Candidates,
    network: &LiftedModel,
    found: &Found,
    names: &[String],
) -> Vec<String> {
    let best = &found.best;
    let (equations, model) = (best.lifted.assessment, network.assessment);
    let mut notes = vec![];
    if equations.log_evidence < model.log_evidence {
        notes.push(format!(
            "the network explains the data better than the equations do (log evidence {:.1} against {:.1}): something in the \
             dynamics is outside the library",
            model.log_evidence, equations.log_evidence
        ));
    }
    if equations.noise_ratio > MAX_NOISE_RATIO {
        notes.push(format!(
            "the equations leave {:.1} times the noise that smoothing splines of the data leave: they do not follow the data",
            equations.noise_ratio
        ));
    }
    if best.active.is_empty() {
        notes.push(
            "the data tell no term of the library: there are too few, or they are too noisy".into(),
        );
    }
    let describe = |change: &Move| describe(candidates, change, names);
    let undecided = found.moves.iter().filter(|m| m.gain > -UNDECIDED).count();
    let others = probability_of_others(&found.moves);
    if undecided > 0 || others > MAX_OTHERS {
        let named = found.moves.iter().take(undecided.clamp(1, MAX_NAMED));
        let named: Vec<String> = named.map(describe).collect();
        notes.push(format!(
            "the data hardly tell these equations from others, which together have the probability {}: {}",
            format_number(others, 2),
            named.join("; ")
        ));
    }
    let ratios = best.coefficients.iter().zip(&best.errors);
    let small: Vec<String> = (best.active.iter().zip(ratios))
        .filter(|(_, (value, error))| value.abs() < THRESHOLD * *error || error.is_nan())
        .map(|(i, _)| term(candidates, *i, names))
        .collect();
    if !small.is_empty() {
        let more = match small.len() > MAX_NAMED {
            true => format!(" and {} more", small.len() - MAX_NAMED),
            false => String::new(),
        };
        notes.push(format!(
            "coefficients below {THRESHOLD} standard errors: {}{more}",
            small[..small.len().min(MAX_NAMED)].join(", ")
        ));
    }
    notes.extend(candidates.notes.iter().cloned());
    notes
}

/// Returns the probability that one of the sets a move away is the right one and not the set that was found, if it is one of them:
/// Σ eᵍ/(1 + Σ eᵍ) over the gains g of the scores, which are logarithms of posterior probabilities up to a constant. Many sets that are
/// improbable one by one may be probable together.
fn probability_of_others(moves: &[Move]) -> f64 {
    // The largest gain may be too large for its exponential.
    let largest = moves.iter().fold(0.0_f64, |most, m| most.max(m.gain));
    let others: f64 = moves.iter().map(|m| (m.gain - largest).exp()).sum();
    others / ((-largest).exp() + others)
}

/// Returns a term and the equation it is in.
fn term(candidates: &Candidates, i: usize, names: &[String]) -> String {
    let c = &candidates.searched[i];
    let name = &candidates.terms[c.term].text;
    let equation = candidates.template.equation_of(c.output);
    match equation.and_then(|equation| names.get(equation)) {
        Some(variable) => format!("{name} in d{variable}/dt"),
        None => format!("{name} in unknown function {}", c.output),
    }
}

/// Describes another set of terms, and by how much it is less probable.
fn describe(candidates: &Candidates, change: &Move, names: &[String]) -> String {
    let place = |i: usize| term(candidates, i, names);
    let name = |i: usize| &candidates.terms[candidates.searched[i].term].text;
    let set = match (change.added, change.dropped) {
        (Some(added), Some(dropped)) => format!("{} in place of {}", name(added), place(dropped)),
        (Some(added), None) => format!("with {}", place(added)),
        (None, Some(dropped)) => format!("without {}", place(dropped)),
        (None, None) => "the same".into(),
    };
    format!("{set} (log odds {:.1})", change.gain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_weighed_by_their_odds() {
        let of = |gains: &[f64]| {
            let one = |gain: &f64| Move {
                added: None,
                dropped: Some(0),
                gain: *gain,
            };
            probability_of_others(&gains.iter().map(one).collect::<Vec<_>>())
        };
        assert_eq!(of(&[]), 0.0);
        // Odds of 1 to 1, of 1 to 20, of five times that, and of e^800 to 1.
        assert!((of(&[0.0]) - 0.5).abs() < 1e-15);
        assert!((of(&[-20_f64.ln()]) - 1.0 / 21.0).abs() < 1e-15);
        assert!((of(&[-20_f64.ln(); 5]) - 0.2).abs() < 1e-15);
        assert_eq!(of(&[800.0]), 1.0);
    }
}

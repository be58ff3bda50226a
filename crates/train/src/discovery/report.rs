//! The result of a discovery in sentences.

use std::fmt::Write;

use super::{DataSummary, Discovery};
use crate::Result;
use odesync_base::tables::format_number;
use odesync_base::text::count_of;

impl DataSummary {
    /// Returns what was seen in the data, line by line.
    pub fn describe(&self) -> String {
        let number = |x: f64| format_number(x, 4);
        let (least, median, most) = self.steps;
        let mut text = format!(
            "data: {}, {} from {} to {}, every {}",
            count_of(self.samples, "trajectory"),
            count_of(self.times, "time"),
            number(self.span.0),
            number(self.span.1),
            number(median)
        );
        if most > 1.5 * median || least < median / 1.5 {
            let _ = write!(text, " (between {} and {})", number(least), number(most));
        }
        for (j, c) in self.components.iter().enumerate() {
            let _ = write!(
                text,
                "\n  {}: from {} to {}, noise about {} ({:.1} % of the spread)",
                c.name,
                number(c.range.0),
                number(c.range.1),
                number(c.noise),
                100.0 * c.noise / c.spread
            );
            if c.missing > 0 {
                let _ = write!(text, ", {} missing", count_of(c.missing, "value"));
            }
            if let Some(i) = self.derivative_of.iter().position(|d| *d == Some(j)) {
                let _ = write!(
                    text,
                    ", looks like the derivative of {}",
                    self.components[i].name
                );
            }
        }
        text
    }
}

impl Discovery {
    /// Returns the report: the data, what was tried, how well the model fits and how far it is to be trusted.
    ///
    /// # Errors
    /// A run whose quality cannot be computed.
    pub fn report(&self) -> Result<String> {
        let best = self.best()?;
        let trust = best.trust()?;
        let number = |x: f64| format_number(x, 4);
        let mut text = self.data.describe();
        if self.candidates.len() > 1 {
            text.push_str("\ntried:");
            for candidate in &self.candidates {
                let evidence = match candidate.log_evidence {
                    Some(evidence) => format!("log evidence {evidence:.1}"),
                    None => "failed".into(),
                };
                let _ = write!(text, "\n  {}: {evidence}", candidate.form);
            }
        }
        let _ = write!(
            text,
            "\nmodel: {}; {} of {} agree",
            self.form,
            self.kept.len(),
            count_of(self.ensemble.members.len(), "seed")
        );
        if self.form.observe().is_some() && best.model.inputs().next().is_some() {
            text.push_str(
                "\n  the network sees the input and, as further components of it, its derivative",
            );
        }
        for (label, why) in &self.dropped {
            let _ = write!(text, "\n  {label} was dropped: {why}");
        }
        let _ = write!(
            text,
            "\nfit: mse {}{}, log evidence {:.1}, {:.1} effective parameters",
            number(best.best_mse),
            best.best_nmse
                .map(|nmse| format!(", nmse {}", number(nmse)))
                .unwrap_or_default(),
            trust.log_evidence,
            trust.effective_parameters
        );
        for (c, noise) in self.data.components.iter().zip(&trust.noise) {
            let _ = write!(text, "\n  noise of {}: {}", c.name, number(*noise));
        }
        let end = 2.0 * self.data.span.1 - self.data.span.0;
        let holds = match trust.horizon.iter().flatten().copied().reduce(f64::min) {
            Some(t) => format!(
                "the prediction is within a tenth of the data's spread up to t = {}",
                number(t)
            ),
            None => format!(
                "the prediction is within a tenth of the data's spread up to t = {} at least",
                number(end)
            ),
        };
        let of_network = match self.preferred_equations() {
            Some(_) => ", of the network",
            None => "",
        };
        let _ = write!(
            text,
            "\ntrust{of_network}: {holds}, by its own standard deviation"
        );
        if let Some(t) = trust.leaves_data.iter().flatten().copied().reduce(f64::min) {
            let _ = write!(
                text,
                "\n  from t = {} on it is in states that no data cover",
                number(t)
            );
        }
        for warning in &trust.warnings {
            let _ = write!(text, "\nwarning: {}", self.with_names(warning));
        }
        text.push_str(&self.describe_equations());
        Ok(text)
    }

    /// Returns the lines of the equations that were tried.
    fn describe_equations(&self) -> String {
        let found = match &self.equations {
            Ok(found) => found,
            Err(why) => return format!("\nequations: none, {why}"),
        };
        let verdict = match found.are_preferred() {
            true => "they explain the data better than the network, and predict",
            false => "the network explains the data better, and predicts",
        };
        let mut text = format!(
            "\nequations: log evidence {:.1} against the network's {:.1}: {verdict}",
            found.log_evidence, found.network_log_evidence
        );
        for line in found.text().lines() {
            let _ = write!(text, "\n  {line}");
        }
        for note in &found.notes {
            let _ = write!(text, "\n  note: {note}");
        }
        text
    }

    /// Returns a warning with the names of the components in place of `u[0]`, ….
    fn with_names(&self, warning: &str) -> String {
        let components = self.data.components.iter().enumerate();
        components.fold(warning.to_string(), |text, (j, c)| {
            text.replace(&format!("u[{j}]"), &c.name)
        })
    }
}

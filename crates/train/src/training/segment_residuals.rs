//! The loss of segments as a sum of squares, and the gaps between them.

use std::ops::Range;

use super::shooting::{Segments, TrainableStart};

/// A value of the data of a segment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct MeasuredValue {
    /// Its index in the solved states, `[time, dof]`.
    pub at: usize,
    /// The datum.
    pub datum: f64,
    /// Factor of the difference, such that the data part of the loss is the sum of the squares.
    pub weight: f64,
}

/// Where a segment begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum SegmentStart {
    /// At the sample's initial state, which is given.
    Given,
    /// At the sample's initial state, in this range of the auxiliary parameters.
    Trained(Range<usize>),
    /// Where the one before ends; the correction is in this range of the auxiliary parameters.
    Continued(Range<usize>),
}

impl Segments {
    /// Returns the number of segments of all samples.
    pub fn len(&self) -> usize {
        self.segments.len()
    }

    /// Returns where segment `i` begins.
    pub fn start_of(&self, i: usize) -> SegmentStart {
        match &self.segments[i].trainable {
            TrainableStart::Fixed => SegmentStart::Given,
            TrainableStart::Full(range) => SegmentStart::Trained(range.clone()),
            TrainableStart::Correction(range) => SegmentStart::Continued(range.clone()),
        }
    }

    /// Whether the next segment begins where segment `i` ends.
    pub fn is_continued(&self, i: usize) -> bool {
        let next = self.segments.get(i + 1);
        next.is_some_and(|next| matches!(next.trainable, TrainableStart::Correction(_)))
    }

    /// Returns the values of the data of segment `i` that are not missing.
    pub fn measured(&self, i: usize) -> Vec<MeasuredValue> {
        let mut all = vec![];
        for (time, row) in self.segments[i].data.outer_iter().enumerate() {
            let row = self.columns.iter().zip(row);
            for (variable, datum) in row.filter(|(_, datum)| !datum.is_nan()) {
                all.push(MeasuredValue {
                    at: time * self.dof + variable,
                    datum: *datum,
                    weight: (self.weight(*variable) / self.n_measured).sqrt(),
                });
            }
        }
        all
    }

    /// Returns the factor of a gap of a state variable, such that the squares of gaps have this weight beside the data part of the loss.
    pub fn gap_weight(&self, variable: usize, weight: f64) -> f64 {
        (weight * self.weight(variable) / self.n_measured).sqrt()
    }

    /// Returns the sum of the sizes of gaps, each relative to its state variable where the loss is.
    pub fn total_gap(&self, gaps: &[f64]) -> f64 {
        let weights = (0..self.dof).cycle().map(|j| self.weight(j).sqrt());
        gaps.iter().zip(weights).map(|(gap, w)| w * gap.abs()).sum()
    }

    /// Returns the squares of gaps with this weight beside the data part of the loss.
    pub fn weighted_gaps(&self, gaps: &[f64], weight: f64) -> f64 {
        let weights = (0..self.dof).cycle().map(|j| self.gap_weight(j, weight));
        gaps.iter()
            .zip(weights)
            .map(|(gap, w)| (w * gap).powi(2))
            .sum()
    }

    /// Returns [`Segments::total_gap`] of the initial states themselves, where segments continue others: the size of a gap that is as
    /// large as the states.
    pub fn size_of_starts(&self, initial_states: &[Vec<f64>]) -> f64 {
        let starts = self.segments.iter().zip(initial_states);
        let continued = starts
            .filter(|(segment, _)| matches!(segment.trainable, TrainableStart::Correction(_)));
        continued.map(|(_, start)| self.total_gap(start)).sum()
    }
}

//! Plain code: an evaluation without a tape as a flat list of operations on the numbers of a frame, which begins with the constants
//! and the state. Values that are used once, by the next operation, are not stored at all: two or three operations are fused to one
//! instruction. Each still rounds by itself.

use super::super::kernels::sample_lanes::{lanes, lanes_mut};
use super::super::kernels::{Isa, copy, store_pair};
use super::plain_code_tables::{PlainInstruction, value};
use super::plain_code_translation::Translator;
use super::scalar_code::{Place, ScalarInstruction};

/// Number of constants that are copied into the frame at once.
pub(super) const CHUNK: usize = 4;

/// A constant of the frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum FrameConstant {
    /// A number of the static buffer, by its index.
    Static(u16),
    /// A literal.
    Literal(f64),
}

/// Plain code with the layout of its frame: the constants, the state, the time, the values.
#[derive(Debug)]
pub(super) struct PlainCode {
    pub(super) instructions: Vec<PlainInstruction>,
    pub(super) constants: Vec<FrameConstant>,
    /// Number of state variables; 0 where the state is not used.
    pub(super) dof: usize,
    /// Index of the state in the frame.
    pub(super) state: usize,
    /// Index of the time in the frame.
    pub(super) time: usize,
    pub(super) frame_len: usize,
    /// The last operations of the components of du/dt, whose values are not stored in the frame.
    pub(super) outputs: Vec<PlainInstruction>,
}

impl PlainCode {
    /// Translates scalar instructions whose value lies at the places `output`; `slot_len` is the length of the slot.
    pub fn new(
        states: (&[u16], usize),
        times: &[u16],
        instructions: &[ScalarInstruction],
        output: &[Place],
        slot_len: usize,
    ) -> Option<PlainCode> {
        Translator::new(states, times, instructions, output, slot_len).translate()
    }

    /// Returns the number of numbers in the frame.
    pub fn frame_len(&self) -> usize {
        self.frame_len
    }

    /// Returns the values of the constants, for [`PlainInputs`], at these values of the static program, with zeros up to a whole
    /// chunk.
    pub fn bind(&self, static_buffer: &[f64]) -> Vec<f64> {
        let value = |constant: &FrameConstant| match *constant {
            FrameConstant::Static(at) => static_buffer[at as usize],
            FrameConstant::Literal(value) => value,
        };
        let mut values: Vec<f64> = self.constants.iter().map(value).collect();
        values.resize(values.len().next_multiple_of(CHUNK), 0.0);
        values
    }
}

/// The inputs of an evaluation of `P` samples side by side.
pub(super) struct PlainInputs<'a, const P: usize> {
    /// Instruction set of the running code.
    pub isa: Isa,
    /// The values of [`PlainCode::bind`], `[constant][lane]`.
    pub constants: &'a [f64],
    pub t: &'a [f64; P],
    /// State, `[component][lane]`.
    pub u: &'a [f64],
}

/// Evaluates du/dt into `out`, `[component][lane]`; `frame` is storage of at least the frame's length in every lane.
#[inline(always)]
pub(super) fn run<const FMA: bool, const P: usize>(
    code: &PlainCode,
    inputs: &PlainInputs<P>,
    frame: &mut [f64],
    out: &mut [f64],
) {
    let frame = &mut frame[..P * code.frame_len];
    match (
        inputs.constants.as_chunks::<CHUNK>().0,
        frame.as_chunks_mut::<CHUNK>().0,
    ) {
        // Most small systems, without a loop.
        ([from], [to, ..]) => *to = *from,
        (constants, chunks) => {
            for (to, from) in chunks.iter_mut().zip(constants) {
                *to = *from;
            }
        }
    }
    let frame = lanes_mut::<P>(frame);
    let (state, u) = (&mut frame[code.state..code.time], lanes::<P>(inputs.u));
    match P {
        1 => copy(&inputs.u[..code.dof], state.as_flattened_mut()),
        _ => {
            for (to, from) in state.iter_mut().zip(u) {
                *to = *from;
            }
        }
    }
    frame[code.time] = *inputs.t;
    for instruction in &code.instructions {
        frame[instruction.to as usize] = value(inputs.isa, instruction, frame);
    }
    let frame = &*frame;
    if P > 1 {
        for (out, last) in lanes_mut::<P>(out).iter_mut().zip(&code.outputs) {
            *out = value(inputs.isa, last, frame);
        }
        return;
    }
    // A sum of stages reads two slopes at once.
    let (pairs, rest) = out.as_chunks_mut::<2>();
    let (pair_outputs, rest_outputs) = code.outputs.as_chunks::<2>();
    let alone = |instruction| value(inputs.isa, instruction, frame)[0];
    for (pair, [first, second]) in pairs.iter_mut().zip(pair_outputs) {
        store_pair([alone(first), alone(second)], pair);
    }
    for (out, last) in rest.iter_mut().zip(rest_outputs) {
        *out = alone(last);
    }
}

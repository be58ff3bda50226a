//! The translation of scalar instructions to plain code: which operations are fused, and where the numbers of the frame lie.

use super::super::op::{Binary, Unary};
use super::plain_code::{CHUNK, FrameConstant, PlainCode};
use super::plain_code_tables::{Basic, Code, Form, Outer, PlainInstruction};
use super::scalar_code::{Place, ScalarInstruction, ScalarOp};

/// The translation of scalar instructions.
pub(super) struct Translator<'a> {
    states: &'a [u16],
    /// Number of state variables; 0 where the state is not used.
    dof: usize,
    times: &'a [u16],
    scalar: &'a [ScalarInstruction],
    output: &'a [Place],
    /// The first place of the number at each index of the slot, before it was copied.
    origins: Vec<Place>,
    /// How often the number that begins at each index of the slot is an operand, and how often a component of du/dt.
    uses: Vec<u32>,
    output_uses: Vec<u32>,
    constants: Vec<FrameConstant>,
    /// Instructions, whose operands are numbered by [`Operand`]; those that are fused into later ones are `None`.
    instructions: Vec<Option<Draft>>,
    /// The instruction that computes the number at each index of the slot.
    producers: Vec<Option<usize>>,
}

/// An operand before the frame is laid out.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Operand {
    FrameConstant(usize),
    Slot(u16),
}

/// An instruction before the frame is laid out. Unused operands repeat the first.
#[derive(Debug, Clone, Copy)]
struct Draft {
    code: Code,
    /// The basic operations of the code, if it is one of these.
    form: Option<Form>,
    operands: [Operand; 4],
    to: u16,
}

impl<'a> Translator<'a> {
    pub fn new(
        (states, dof): (&'a [u16], usize),
        times: &'a [u16],
        scalar: &'a [ScalarInstruction],
        output: &'a [Place],
        slot_len: usize,
    ) -> Self {
        let mut translator = Translator {
            states,
            dof,
            times,
            scalar,
            output,
            origins: (0..slot_len).map(|at| Place::Slot(at as u16)).collect(),
            uses: vec![0; slot_len],
            output_uses: vec![0; slot_len],
            constants: vec![],
            instructions: vec![],
            producers: vec![None; slot_len],
        };
        translator.find_origins();
        translator
    }

    /// Finds where each number was computed, through copies, and how often it is used.
    fn find_origins(&mut self) {
        let scalar = self.scalar;
        for instruction in scalar {
            if instruction.op == ScalarOp::Copy {
                self.origins[instruction.to as usize] = self.origin(instruction.x);
            }
        }
        for instruction in scalar.iter().filter(|i| i.op != ScalarOp::Copy) {
            for x in instruction.operands() {
                if let Place::Slot(at) = self.origin(x) {
                    self.uses[at as usize] += 1;
                }
            }
        }
        for x in self.output {
            if let Place::Slot(at) = self.origin(*x) {
                self.output_uses[at as usize] += 1;
            }
        }
    }

    fn origin(&self, x: Place) -> Place {
        match x {
            Place::Static(_) => x,
            Place::Slot(at) => self.origins[at as usize],
        }
    }

    fn operand(&mut self, x: Place) -> Operand {
        match self.origin(x) {
            Place::Slot(at) => Operand::Slot(at),
            Place::Static(at) => self.constant(FrameConstant::Static(at)),
        }
    }

    fn constant(&mut self, constant: FrameConstant) -> Operand {
        let known = self.constants.iter().position(|other| *other == constant);
        Operand::FrameConstant(known.unwrap_or_else(|| {
            self.constants.push(constant);
            self.constants.len() - 1
        }))
    }

    pub fn translate(mut self) -> Option<PlainCode> {
        let scalar = self.scalar;
        for instruction in scalar {
            let [x, y, z] = [instruction.x, instruction.y, instruction.z].map(|x| self.operand(x));
            let basic = match instruction.op {
                ScalarOp::Copy => continue,
                // −x is x times −1, to the bit.
                ScalarOp::Unary { f: Unary::Neg, .. } => {
                    Some((Basic::Mul, x, self.constant(FrameConstant::Literal(-1.0))))
                }
                ScalarOp::Unary {
                    f: Unary::Square, ..
                } => Some((Basic::Mul, x, x)),
                ScalarOp::Binary(Binary::Add) => Some((Basic::Add, x, y)),
                ScalarOp::Binary(Binary::Sub) => Some((Basic::Sub, x, y)),
                ScalarOp::Binary(Binary::Mul) => Some((Basic::Mul, x, y)),
                _ => None,
            };
            let to = instruction.to;
            let draft = match (basic, instruction.op) {
                (Some((f, x, y)), _) => self.fused(f, x, y, to),
                (None, op) => {
                    let (code, operands) = match op {
                        ScalarOp::Copy => (Code::Copy, [x; 4]),
                        ScalarOp::Unary { f, .. } => (Code::Unary(f), [x; 4]),
                        ScalarOp::Power { exponent, .. } => {
                            let exponent = self.constant(FrameConstant::Literal(exponent));
                            (Code::Power, [x, exponent, x, x])
                        }
                        ScalarOp::Binary(Binary::Div) => (Code::Div, [x, y, x, x]),
                        ScalarOp::Binary(f) => (Code::Binary(f), [x, y, x, x]),
                        ScalarOp::Select => (Code::Select, [x, y, z, x]),
                    };
                    Draft {
                        code,
                        form: None,
                        operands,
                        to,
                    }
                }
            };
            self.producers[to as usize] = Some(self.instructions.len());
            self.instructions.push(Some(draft));
        }
        self.lay_out()
    }

    /// Returns the instruction of a basic operation, with the operations before it that only it uses.
    fn fused(&mut self, f: Basic, x: Operand, y: Operand, to: u16) -> Draft {
        // The square of a number is computed from two copies of the operation before it, if that is a single one.
        let is_fused = |form: &Form| x != y || matches!(form, Form::Two(_));
        let before_x = self.fusible(x).filter(|(_, form, _)| is_fused(form));
        let before_y = self.fusible(y).filter(|(_, form, _)| is_fused(form));
        let (form, operands, fused) = match (before_x, before_y) {
            (Some((i, Form::Two(left), [a, b, ..])), Some((j, Form::Two(right), [c, d, ..]))) => {
                (Form::Pair(left, f, right), [a, b, c, d], vec![i, j])
            }
            (Some((i, Form::Three(first, second), [a, b, c, _])), _) => {
                let third = Outer::new(f, true);
                (Form::Chain(first, second, third), [a, b, c, y], vec![i])
            }
            (_, Some((j, Form::Three(first, second), [a, b, c, _]))) => {
                let third = Outer::new(f, false);
                (Form::Chain(first, second, third), [a, b, c, x], vec![j])
            }
            (Some((i, Form::Two(inner), [a, b, ..])), _) => (
                Form::Three(inner, Outer::new(f, true)),
                [a, b, y, a],
                vec![i],
            ),
            (_, Some((j, Form::Two(inner), [a, b, ..]))) => (
                Form::Three(inner, Outer::new(f, false)),
                [a, b, x, a],
                vec![j],
            ),
            _ => (Form::Two(f), [x, y, x, x], vec![]),
        };
        for i in fused {
            self.instructions[i] = None;
        }
        Draft {
            code: Code::of(form),
            form: Some(form),
            operands,
            to,
        }
    }

    /// Returns the index, the operations and the operands of the instruction that computes a number, where these are basic
    /// operations and the number is used once.
    fn fusible(&self, x: Operand) -> Option<(usize, Form, [Operand; 4])> {
        let Operand::Slot(at) = x else {
            return None;
        };
        let is_used_once = self.uses[at as usize] == 1 && self.output_uses[at as usize] == 0;
        let i = self.producers[at as usize].filter(|_| is_used_once)?;
        let draft = self.instructions[i]?;
        Some((i, draft.form?, draft.operands))
    }

    /// Returns the last instruction of a component of du/dt, taken out of the others where nothing else uses its value.
    fn output(&mut self, x: Operand) -> Draft {
        if let Operand::Slot(at) = x
            && self.uses[at as usize] == 0
            && self.output_uses[at as usize] == 1
            && let Some(i) = self.producers[at as usize]
            && let Some(draft) = self.instructions[i].take()
        {
            return draft;
        }
        Draft {
            code: Code::Copy,
            form: None,
            operands: [x; 4],
            to: 0,
        }
    }

    /// Lays out the frame and gives every operand its place.
    fn lay_out(mut self) -> Option<PlainCode> {
        let output = self.output;
        let output: Vec<Operand> = output.iter().map(|x| self.operand(*x)).collect();
        let outputs: Vec<Draft> = output.into_iter().map(|x| self.output(x)).collect();
        let state = self.constants.len().next_multiple_of(CHUNK);
        let time = state + self.dof;
        let mut places: Vec<usize> = vec![0; self.origins.len()];
        for &first in self.states {
            for i in 0..self.dof {
                places[first as usize + i] = state + i;
            }
        }
        for &at in self.times {
            places[at as usize] = time;
        }
        let mut frame_len = time + 1;
        for draft in self.instructions.iter().flatten() {
            places[draft.to as usize] = frame_len;
            frame_len += 1;
        }
        u16::try_from(frame_len).ok()?;
        let index = |x: Operand| match x {
            Operand::FrameConstant(i) => i as u16,
            Operand::Slot(at) => places[at as usize] as u16,
        };
        let instruction = |draft: &Draft| {
            let [a, b, c, d] = draft.operands.map(index);
            let (code, to) = (draft.code, places[draft.to as usize] as u16);
            PlainInstruction {
                code,
                a,
                b,
                c,
                d,
                to,
            }
        };
        Some(PlainCode {
            instructions: self
                .instructions
                .iter()
                .flatten()
                .map(instruction)
                .collect(),
            outputs: outputs.iter().map(instruction).collect(),
            constants: self.constants,
            dof: self.dof,
            state,
            time,
            frame_len,
        })
    }
}

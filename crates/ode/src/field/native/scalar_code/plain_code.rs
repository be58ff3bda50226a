//! Plain code: an evaluation without a tape as a flat list of operations on the numbers of a frame, which begins with the constants
//! and the state. Values that are used once, by the next operation, are not stored at all: two or three operations are fused to one
//! instruction. Each still rounds by itself.

use super::super::super::kernels::{Isa, copy, store_pair};
use super::super::super::op::{Binary, Unary};
use super::super::forward::{binary_number, power};
use super::super::isa_dispatch;
use super::{Place, ScalarInstruction, ScalarOp};

/// Number of constants that are copied into the frame at once.
const CHUNK: usize = 4;

/// An operation that can be part of a fused instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Basic {
    Add,
    Sub,
    Mul,
}

impl Basic {
    #[inline(always)]
    fn of(self, x: f64, y: f64) -> f64 {
        match self {
            Basic::Add => x + y,
            Basic::Sub => x - y,
            Basic::Mul => x * y,
        }
    }
}

/// A later operation of a fused instruction: of the value v of those before and another number c.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outer {
    Add,
    Sub,
    /// c − v.
    SubFrom,
    Mul,
}

impl Outer {
    /// Returns a basic operation as one of the value v on its left or right and another number.
    fn new(f: Basic, value_is_left: bool) -> Outer {
        match (f, value_is_left) {
            (Basic::Add, _) => Outer::Add,
            (Basic::Sub, true) => Outer::Sub,
            (Basic::Sub, false) => Outer::SubFrom,
            (Basic::Mul, _) => Outer::Mul,
        }
    }

    #[inline(always)]
    fn of(self, v: f64, c: f64) -> f64 {
        match self {
            Outer::Add => v + c,
            Outer::Sub => v - c,
            Outer::SubFrom => c - v,
            Outer::Mul => v * c,
        }
    }
}

/// Declares the codes of plain instructions, and what takes an expression for each of them.
macro_rules! codes {
    (
        two { $($two:ident = $f:ident;)* }
        three { $($three:ident = $inner:ident $outer:ident;)* }
        chain { $($chain:ident = $first:ident $second:ident $third:ident;)* }
        pair { $($pair:ident = $left:ident $middle:ident $right:ident;)* }
    ) => {
        /// The code of a plain instruction on the numbers a, b, c and d of the frame.
        #[derive(Debug, Clone, Copy, PartialEq)]
        enum Code {
            /// a.
            Copy,
            /// a / b.
            Div,
            /// aᵇ, where b is constant.
            Power,
            /// b where a is not zero, else c.
            Select,
            /// Another function of a and b.
            Binary(Binary),
            /// Another function of a.
            Unary(Unary),
            $(#[doc = "One operation, of a and b."] $two,)*
            $(#[doc = "Two operations: of a and b, and of the result and c."] $three,)*
            $(#[doc = "Three operations: of a and b, of the result and c, and of this result and d."] $chain,)*
            $(#[doc = "Three operations: of a and b, of c and d, and of both results."] $pair,)*
        }

        impl Code {
            /// Returns the code of basic operations.
            fn of(form: Form) -> Code {
                match form {
                    $(Form::Two(Basic::$f) => Code::$two,)*
                    $(Form::Three(Basic::$inner, Outer::$outer) => Code::$three,)*
                    $(Form::Chain(Basic::$first, Outer::$second, Outer::$third) => Code::$chain,)*
                    $(Form::Pair(Basic::$left, Basic::$middle, Basic::$right) => Code::$pair,)*
                }
            }
        }

        /// Computes the value of an instruction from the numbers of the frame.
        #[inline(always)]
        fn value(isa: Isa, instruction: &PlainInstruction, frame: &[f64]) -> f64 {
            let PlainInstruction { code, a, b, c, d, .. } = *instruction;
            let at = |x: u16| frame[x as usize];
            match code {
                Code::Copy => at(a),
                Code::Div => at(a) / at(b),
                Code::Power => power(at(a), at(b)),
                Code::Select => if at(a) != 0.0 { at(b) } else { at(c) },
                Code::Binary(f) => binary_number(f, at(a), at(b)),
                Code::Unary(f) => {
                    let mut y = 0.0;
                    isa_dispatch::unary(isa, isa, f, at(a), &mut y, None);
                    y
                }
                $(Code::$two => Basic::$f.of(at(a), at(b)),)*
                $(Code::$three => Outer::$outer.of(Basic::$inner.of(at(a), at(b)), at(c)),)*
                $(Code::$chain => {
                    let two = Outer::$second.of(Basic::$first.of(at(a), at(b)), at(c));
                    Outer::$third.of(two, at(d))
                })*
                $(Code::$pair => Basic::$middle.of(Basic::$left.of(at(a), at(b)), Basic::$right.of(at(c), at(d))),)*
            }
        }
    };
}

codes! {
    two {
        Add = Add;
        Sub = Sub;
        Mul = Mul;
    }
    three {
        AddAdd = Add Add;
        AddSub = Add Sub;
        AddSubFrom = Add SubFrom;
        AddMul = Add Mul;
        SubAdd = Sub Add;
        SubSub = Sub Sub;
        SubSubFrom = Sub SubFrom;
        SubMul = Sub Mul;
        MulAdd = Mul Add;
        MulSub = Mul Sub;
        MulSubFrom = Mul SubFrom;
        MulMul = Mul Mul;
    }
    chain {
        AddAddAdd = Add Add Add;
        AddAddSub = Add Add Sub;
        AddAddSubFrom = Add Add SubFrom;
        AddAddMul = Add Add Mul;
        AddSubAdd = Add Sub Add;
        AddSubSub = Add Sub Sub;
        AddSubSubFrom = Add Sub SubFrom;
        AddSubMul = Add Sub Mul;
        AddSubFromAdd = Add SubFrom Add;
        AddSubFromSub = Add SubFrom Sub;
        AddSubFromSubFrom = Add SubFrom SubFrom;
        AddSubFromMul = Add SubFrom Mul;
        AddMulAdd = Add Mul Add;
        AddMulSub = Add Mul Sub;
        AddMulSubFrom = Add Mul SubFrom;
        AddMulMul = Add Mul Mul;
        SubAddAdd = Sub Add Add;
        SubAddSub = Sub Add Sub;
        SubAddSubFrom = Sub Add SubFrom;
        SubAddMul = Sub Add Mul;
        SubSubAdd = Sub Sub Add;
        SubSubSub = Sub Sub Sub;
        SubSubSubFrom = Sub Sub SubFrom;
        SubSubMul = Sub Sub Mul;
        SubSubFromAdd = Sub SubFrom Add;
        SubSubFromSub = Sub SubFrom Sub;
        SubSubFromSubFrom = Sub SubFrom SubFrom;
        SubSubFromMul = Sub SubFrom Mul;
        SubMulAdd = Sub Mul Add;
        SubMulSub = Sub Mul Sub;
        SubMulSubFrom = Sub Mul SubFrom;
        SubMulMul = Sub Mul Mul;
        MulAddAdd = Mul Add Add;
        MulAddSub = Mul Add Sub;
        MulAddSubFrom = Mul Add SubFrom;
        MulAddMul = Mul Add Mul;
        MulSubAdd = Mul Sub Add;
        MulSubSub = Mul Sub Sub;
        MulSubSubFrom = Mul Sub SubFrom;
        MulSubMul = Mul Sub Mul;
        MulSubFromAdd = Mul SubFrom Add;
        MulSubFromSub = Mul SubFrom Sub;
        MulSubFromSubFrom = Mul SubFrom SubFrom;
        MulSubFromMul = Mul SubFrom Mul;
        MulMulAdd = Mul Mul Add;
        MulMulSub = Mul Mul Sub;
        MulMulSubFrom = Mul Mul SubFrom;
        MulMulMul = Mul Mul Mul;
    }
    pair {
        AddAddAddPair = Add Add Add;
        AddAddSubPair = Add Add Sub;
        AddAddMulPair = Add Add Mul;
        AddSubAddPair = Add Sub Add;
        AddSubSubPair = Add Sub Sub;
        AddSubMulPair = Add Sub Mul;
        AddMulAddPair = Add Mul Add;
        AddMulSubPair = Add Mul Sub;
        AddMulMulPair = Add Mul Mul;
        SubAddAddPair = Sub Add Add;
        SubAddSubPair = Sub Add Sub;
        SubAddMulPair = Sub Add Mul;
        SubSubAddPair = Sub Sub Add;
        SubSubSubPair = Sub Sub Sub;
        SubSubMulPair = Sub Sub Mul;
        SubMulAddPair = Sub Mul Add;
        SubMulSubPair = Sub Mul Sub;
        SubMulMulPair = Sub Mul Mul;
        MulAddAddPair = Mul Add Add;
        MulAddSubPair = Mul Add Sub;
        MulAddMulPair = Mul Add Mul;
        MulSubAddPair = Mul Sub Add;
        MulSubSubPair = Mul Sub Sub;
        MulSubMulPair = Mul Sub Mul;
        MulMulAddPair = Mul Mul Add;
        MulMulSubPair = Mul Mul Sub;
        MulMulMulPair = Mul Mul Mul;
    }
}

/// Basic operations that one instruction does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    /// One operation, of two numbers.
    Two(Basic),
    /// Two operations, one after the other.
    Three(Basic, Outer),
    /// Three operations, one after the other.
    Chain(Basic, Outer, Outer),
    /// Two operations, left and right, and one of their results between them.
    Pair(Basic, Basic, Basic),
}

/// One plain instruction: its operands and the place of its value in the frame.
#[derive(Debug, Clone, Copy)]
struct PlainInstruction {
    code: Code,
    a: u16,
    b: u16,
    c: u16,
    d: u16,
    to: u16,
}

/// A constant of the frame.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Constant {
    /// A number of the static buffer, by its index.
    Static(u16),
    /// A literal.
    Literal(f64),
}

/// Plain code with the layout of its frame: the constants, the state, the time, the values.
#[derive(Debug)]
pub(in super::super) struct PlainCode {
    instructions: Vec<PlainInstruction>,
    constants: Vec<Constant>,
    /// Number of state variables; 0 where the state is not used.
    dof: usize,
    /// Index of the state in the frame.
    state: usize,
    /// Index of the time in the frame.
    time: usize,
    frame_len: usize,
    /// The last operations of the components of du/dt, whose values are not stored in the frame.
    outputs: Vec<PlainInstruction>,
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

    /// Returns the values of the constants, for [`PlainInputs`], at these values of the static program.
    pub fn bind(&self, static_buffer: &[f64]) -> Vec<f64> {
        let value = |constant: &Constant| match *constant {
            Constant::Static(at) => static_buffer[at as usize],
            Constant::Literal(value) => value,
        };
        let mut constants: Vec<f64> = self.constants.iter().map(value).collect();
        constants.resize(self.constants.len().next_multiple_of(CHUNK), 0.0);
        constants
    }
}

/// The inputs of an evaluation.
pub(in super::super) struct PlainInputs<'a> {
    /// Instruction set of the running code.
    pub isa: Isa,
    /// The values of [`PlainCode::bind`].
    pub constants: &'a [f64],
    pub t: f64,
    pub u: &'a [f64],
}

/// Evaluates du/dt into `out`; `frame` is storage of at least the frame's length.
#[inline(always)]
pub(in super::super) fn run<const FMA: bool>(
    code: &PlainCode,
    inputs: &PlainInputs,
    frame: &mut [f64],
    out: &mut [f64],
) {
    let frame = &mut frame[..code.frame_len];
    let chunks = frame.as_chunks_mut::<CHUNK>().0.iter_mut();
    for (to, from) in chunks.zip(inputs.constants.as_chunks::<CHUNK>().0) {
        *to = *from;
    }
    copy(&inputs.u[..code.dof], &mut frame[code.state..code.time]);
    frame[code.time] = inputs.t;
    for instruction in &code.instructions {
        frame[instruction.to as usize] = value(inputs.isa, instruction, frame);
    }
    let last = |instruction: &PlainInstruction| value(inputs.isa, instruction, frame);
    // A sum of stages reads two slopes at once.
    let (pairs, rest) = out.as_chunks_mut::<2>();
    let (pair_outputs, rest_outputs) = code.outputs.as_chunks::<2>();
    for (pair, [first, second]) in pairs.iter_mut().zip(pair_outputs) {
        store_pair([last(first), last(second)], pair);
    }
    for (out, instruction) in rest.iter_mut().zip(rest_outputs) {
        *out = last(instruction);
    }
}

/// The translation of scalar instructions.
struct Translator<'a> {
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
    constants: Vec<Constant>,
    /// Instructions, whose operands are numbered by [`Operand`]; those that are fused into later ones are `None`.
    instructions: Vec<Option<Draft>>,
    /// The instruction that computes the number at each index of the slot.
    producers: Vec<Option<usize>>,
}

/// An operand before the frame is laid out.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Operand {
    Constant(usize),
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
    fn new(
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
            Place::Static(at) => self.constant(Constant::Static(at)),
        }
    }

    fn constant(&mut self, constant: Constant) -> Operand {
        let known = self.constants.iter().position(|other| *other == constant);
        Operand::Constant(known.unwrap_or_else(|| {
            self.constants.push(constant);
            self.constants.len() - 1
        }))
    }

    fn translate(mut self) -> Option<PlainCode> {
        let scalar = self.scalar;
        for instruction in scalar {
            let [x, y, z] = [instruction.x, instruction.y, instruction.z].map(|x| self.operand(x));
            let basic = match instruction.op {
                ScalarOp::Copy => continue,
                // −x is x times −1, to the bit.
                ScalarOp::Unary { f: Unary::Neg, .. } => {
                    Some((Basic::Mul, x, self.constant(Constant::Literal(-1.0))))
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
                            let exponent = self.constant(Constant::Literal(exponent));
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
            Operand::Constant(i) => i as u16,
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

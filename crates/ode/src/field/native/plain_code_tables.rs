//! The codes of plain instructions: basic operations, up to three of them in one instruction, and all others.

use super::super::kernels::{Isa, each_lane};
use super::super::op::{Binary, Unary};
use super::forward::{binary_number, power};
use super::unary_number;

/// An operation that can be part of a fused instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Basic {
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
pub(super) enum Outer {
    Add,
    Sub,
    /// c − v.
    SubFrom,
    Mul,
}

impl Outer {
    /// Returns a basic operation as one of the value v on its left or right and another number.
    pub fn new(f: Basic, value_is_left: bool) -> Outer {
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
        pub(super) enum Code {
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
            pub fn of(form: Form) -> Code {
                match form {
                    $(Form::Two(Basic::$f) => Code::$two,)*
                    $(Form::Three(Basic::$inner, Outer::$outer) => Code::$three,)*
                    $(Form::Chain(Basic::$first, Outer::$second, Outer::$third) => Code::$chain,)*
                    $(Form::Pair(Basic::$left, Basic::$middle, Basic::$right) => Code::$pair,)*
                }
            }
        }

        /// Computes the value of an instruction from the numbers of the frame, in every lane.
        #[inline(always)]
        pub(super) fn value<const P: usize>(isa: Isa, instruction: &PlainInstruction, frame: &[[f64; P]]) -> [f64; P] {
            let PlainInstruction { code, a, b, c, d, .. } = *instruction;
            let at = |x: u16| &frame[x as usize];
            match code {
                Code::Copy => *at(a),
                Code::Div => {
                    let (a, b) = (at(a), at(b));
                    each_lane(|p| a[p] / b[p])
                }
                Code::Power => {
                    let (a, b) = (at(a), at(b));
                    each_lane(|p| power(a[p], b[p]))
                }
                Code::Select => {
                    let (a, b, c) = (at(a), at(b), at(c));
                    each_lane(|p| if a[p] != 0.0 { b[p] } else { c[p] })
                }
                Code::Binary(f) => {
                    let (a, b) = (at(a), at(b));
                    each_lane(|p| binary_number(f, a[p], b[p]))
                }
                Code::Unary(f) => {
                    let mut y = [0.0; P];
                    unary_number::unary(isa, isa, f, at(a), &mut y, None);
                    y
                }
                $(Code::$two => {
                    let (a, b) = (at(a), at(b));
                    each_lane(|p| Basic::$f.of(a[p], b[p]))
                })*
                $(Code::$three => {
                    let (a, b, c) = (at(a), at(b), at(c));
                    each_lane(|p| Outer::$outer.of(Basic::$inner.of(a[p], b[p]), c[p]))
                })*
                $(Code::$chain => {
                    let (a, b, c, d) = (at(a), at(b), at(c), at(d));
                    each_lane(|p| {
                        let two = Outer::$second.of(Basic::$first.of(a[p], b[p]), c[p]);
                        Outer::$third.of(two, d[p])
                    })
                })*
                $(Code::$pair => {
                    let (a, b, c, d) = (at(a), at(b), at(c), at(d));
                    each_lane(|p| {
                        Basic::$middle.of(Basic::$left.of(a[p], b[p]), Basic::$right.of(c[p], d[p]))
                    })
                })*
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
pub(super) enum Form {
    /// One operation, of two numbers.
    Two(Basic),
    /// Two operations, one after the other.
    Three(Basic, Outer),
    /// Three operations, one after the other.
    Chain(Basic, Outer, Outer),
    /// Two operations, left and right, and one of their results between them.
    Pair(Basic, Basic, Basic),
}

/// One plain instruction: its code and the indices of its operands in the frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlainInstruction {
    pub code: Code,
    pub a: u16,
    pub b: u16,
    pub c: u16,
    pub d: u16,
    /// Index of the value in the frame.
    pub to: u16,
}

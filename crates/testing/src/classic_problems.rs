//! Classic problems of Hairer, Nørsett and Wanner: initial values, final times and published final values.
//!
//! E. Hairer, S. Nørsett, G. Wanner, *Solving Ordinary Differential Equations I* (II.10) and E. Hairer, G. Wanner, *II* (IV.10);
//! values of the Test Set for IVP Solvers (F. Mazzia, C. Magherini), checked with scipy's DOP853 and Radau at rtol 1e-13 and
//! 1e-10. The values of the rigid body are Jacobi's elliptic functions; those of E5 and Lorenz are scipy's.

/// A classic initial value problem from time 0, without its right-hand side, which each test writes in its own way.
#[derive(Debug, Clone, Copy)]
pub struct ClassicProblem {
    /// Name of the problem, for messages.
    pub name: &'static str,
    /// Initial state.
    pub u0: &'static [f64],
    /// Final time.
    pub end: f64,
    /// Solution at the final time, or its first components.
    pub want: &'static [f64],
    /// Whether the problem is stiff.
    pub stiff: bool,
    /// Relative and absolute tolerance of the solve.
    pub tolerances: (f64, f64),
    /// Largest error of a component, relative to its value.
    pub within: f64,
}

impl ClassicProblem {
    /// Checks a solution at the final time; its errors may be `factor` times those of a solver that suits the problem.
    ///
    /// # Panics
    /// Where a component is too far off; the message begins with the problem's name and `by`.
    pub fn check(&self, by: &str, got: &[f64], factor: f64) {
        for (i, (got, want)) in got.iter().zip(self.want).enumerate() {
            let scale = if *want == 0.0 { 1.0 } else { want.abs() };
            let error = (got - want).abs() / scale;
            assert!(
                error < factor * self.within,
                "{}, {by}, component {i}: {got} instead of {want}, off by {error:e}",
                self.name
            );
        }
    }
}

/// The Arenstorf orbit: the restricted three-body problem, μ = 0.012277471. The final time is one period.
pub const ARENSTORF: ClassicProblem = ClassicProblem {
    name: "Arenstorf orbit",
    u0: &[0.994, 0.0, 0.0, -2.0015851063790824],
    end: 17.065_216_560_157_962_6,
    want: &[0.994, 0.0, 0.0, -2.001_585_106_379_082_522],
    stiff: false,
    tolerances: (1e-12, 1e-12),
    within: 3e-6,
};

/// The Brusselator, A = 1, B = 3.
pub const BRUSSELATOR: ClassicProblem = ClassicProblem {
    name: "Brusselator",
    u0: &[1.5, 3.0],
    end: 20.0,
    want: &[0.498_637_071_268_347_829, 4.596_780_349_452_011_025],
    stiff: false,
    tolerances: (1e-11, 1e-11),
    within: 1e-9,
};

/// Euler's equations of the rigid body in the form of Jacobi's sn, cn, dn(20 | 0.51).
pub const RIGID_BODY: ClassicProblem = ClassicProblem {
    name: "rigid body",
    u0: &[0.0, 1.0, 1.0],
    end: 20.0,
    want: &[
        -0.939_657_079_872_920,
        -0.342_117_775_400_077,
        0.741_412_659_619_999,
    ],
    stiff: false,
    tolerances: (1e-11, 1e-11),
    within: 1e-9,
};

/// The Pleiades: seven stars in the plane, of masses 1 to 7; positions x, y, then velocities.
pub const PLEIADES: ClassicProblem = ClassicProblem {
    name: "Pleiades",
    u0: &[
        3.0, 3.0, -1.0, -3.0, 2.0, -2.0, 2.0, 3.0, -3.0, 2.0, 0.0, 0.0, -4.0, 4.0, 0.0, 0.0, 0.0,
        0.0, 0.0, 1.75, -1.5, 0.0, 0.0, 0.0, -1.25, 1.0, 0.0, 0.0,
    ],
    end: 3.0,
    want: &[
        0.370_613_914_397_050_2,
        3.237_284_092_057_233,
        -3.222_559_032_418_324,
        0.659_709_145_577_531_0,
        0.342_558_170_715_658_4,
        1.562_172_101_400_631,
        -0.700_309_292_221_249_5,
        -3.943_437_585_517_392,
        -3.271_380_973_972_550,
        5.225_081_843_456_543,
        -2.590_612_434_977_470,
        1.198_213_693_392_275,
        -0.242_968_234_493_582_4,
        1.091_449_240_428_980,
    ],
    stiff: false,
    tolerances: (1e-12, 1e-12),
    within: 1e-8,
};

/// The Lorenz system with its classic constants.
pub const LORENZ: ClassicProblem = ClassicProblem {
    name: "Lorenz",
    u0: &[-8.0, 8.0, 27.0],
    end: 4.0,
    want: &[5.160_531_551, 8.097_448_615, 17.139_587_316],
    stiff: false,
    tolerances: (1e-12, 1e-12),
    within: 1e-8,
};

/// Van der Pol's oscillator, scaled, ε = 1e-6.
pub const VAN_DER_POL: ClassicProblem = ClassicProblem {
    name: "Van der Pol, scaled, ε = 1e-6",
    u0: &[2.0, 0.0],
    end: 2.0,
    want: &[1.706_167_732_170_483, -0.892_809_701_024_797_5],
    stiff: true,
    tolerances: (1e-8, 1e-10),
    within: 1e-5,
};

/// Robertson's reaction.
pub const ROBERTSON: ClassicProblem = ClassicProblem {
    name: "Robertson",
    u0: &[1.0, 0.0, 0.0],
    end: 1e11,
    want: &[
        2.083_340_149_701_255e-8,
        8.333_360_770_334_713e-14,
        0.999_999_979_166_505_0,
    ],
    stiff: true,
    tolerances: (1e-8, 1e-18),
    within: 1e-5,
};

/// The Oregonator.
pub const OREGONATOR: ClassicProblem = ClassicProblem {
    name: "Oregonator",
    u0: &[1.0, 2.0, 3.0],
    end: 360.0,
    want: &[
        1.000_814_870_318_523,
        1_228.178_521_549_917,
        132.055_494_284_670_6,
    ],
    stiff: true,
    tolerances: (1e-8, 1e-10),
    within: 1e-5,
};

/// HIRES: high irradiance responses of photomorphogenesis.
pub const HIRES: ClassicProblem = ClassicProblem {
    name: "HIRES",
    u0: &[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0057],
    end: 321.8122,
    want: &[
        7.371_312_573_325_668e-4,
        1.442_485_726_316_185e-4,
        5.888_729_740_967_575e-5,
        1.175_651_343_283_149e-3,
        2.386_356_198_831_330e-3,
        6.238_968_252_742_796e-3,
        2.849_998_395_185_769e-3,
        2.850_001_604_814_231e-3,
    ],
    stiff: true,
    tolerances: (1e-8, 1e-12),
    within: 1e-5,
};

/// E5 of the Stiff Detest set.
pub const E5: ClassicProblem = ClassicProblem {
    name: "E5",
    u0: &[0.00176, 0.0, 0.0, 0.0],
    end: 1e5,
    want: &[
        7.481_320_826e-6,
        2.373_478_158e-12,
        2.212_358_668e-12,
        1.611_194_872e-13,
    ],
    stiff: true,
    tolerances: (1e-8, 1e-24),
    within: 1e-5,
};

//! What a Job's pod may use.

use std::fmt;

use ksnapshot_core::{Error, ErrorKind, Result, near};

/// What a Job's pod may use: of the operator's default, or of the annotation `resources`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resources {
    /// Cores, as Kubernetes writes them: `500m`, `2`.
    pub cpu: Option<String>,
    /// Bytes, as Kubernetes writes them: `256Mi`, `1G`.
    pub memory: Option<String>,
}

const HINT: &str = "Write it as cpu=500m,memory=256Mi; either may be left out.";
/// Below it a Job ends before it begins.
const LEAST_MEMORY: f64 = 16.0 * 1024.0 * 1024.0;

impl Resources {
    /// Reads `cpu=500m,memory=256Mi`.
    ///
    /// Errors: [`ErrorKind::Usage`] for other keys, for one that is there twice, and for what is no quantity, or one in
    /// which no Job can run.
    pub fn parse(text: &str) -> Result<Self> {
        let mut read = Self::default();
        for pair in text.split(',').map(str::trim) {
            let Some((key, value)) = pair.split_once('=') else {
                return Err(wrong(format!("{pair:?} is no resource")).hint(HINT));
            };
            let (key, value) = (key.trim(), value.trim());
            let slot = match key {
                "cpu" => {
                    cores(value)?;
                    &mut read.cpu
                }
                "memory" => {
                    bytes(value)?;
                    &mut read.memory
                }
                _ => {
                    let error = wrong(format!("{key:?} is no resource"));
                    return Err(match near(key, ["cpu", "memory"]) {
                        Some(meant) => error.hint(format!("Did you mean {meant}?")),
                        None => error.hint(HINT),
                    });
                }
            };
            if slot.replace(value.to_owned()).is_some() {
                return Err(wrong(format!("{key} is there twice")).hint("Keep one of them."));
            }
        }
        Ok(read)
    }

    /// Each as it is here, or else as it is in `usual`.
    #[must_use]
    pub fn or(&self, usual: &Self) -> Self {
        Self {
            cpu: self.cpu.clone().or_else(|| usual.cpu.clone()),
            memory: self.memory.clone().or_else(|| usual.memory.clone()),
        }
    }
}

impl fmt::Display for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = [("cpu", &self.cpu), ("memory", &self.memory)];
        let set = pairs
            .into_iter()
            .filter_map(|(key, value)| value.as_ref().map(|value| format!("{key}={value}")));
        f.write_str(&set.collect::<Vec<_>>().join(","))
    }
}

fn wrong(message: String) -> Error {
    Error::new(ErrorKind::Usage, message)
}

/// Digits, and after a dot at most `fraction` more. What Kubernetes also takes, exponents and signs, nobody writes.
fn number(text: &str, fraction: usize) -> Option<f64> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    (digits(whole) && digits(rest) && rest.len() <= fraction && whole.len() <= 15)
        .then(|| text.parse().ok())
        .flatten()
}

fn cores(text: &str) -> Result<()> {
    let cores = match text.strip_suffix('m') {
        Some(thousandths) => number(thousandths, 1)
            .filter(|m| m.fract() == 0.0)
            .map(|m| m / 1000.0),
        None => number(text, 3),
    };
    match cores {
        Some(cores) if cores > 0.0 => Ok(()),
        _ => Err(wrong(format!("cpu={text}: {text:?} is no number of cores"))
            .hint("Write cpu=500m for half a core, cpu=2 for two.")),
    }
}

fn bytes(text: &str) -> Result<()> {
    const UNITS: [(&str, f64); 12] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
        ("", 1.0),
    ];
    let bytes = UNITS.iter().find_map(|(unit, size)| {
        let text = text.strip_suffix(unit)?;
        number(text, 3).map(|number| number * size)
    });
    match bytes {
        Some(bytes) if bytes >= LEAST_MEMORY => Ok(()),
        Some(_) => Err(wrong(format!("memory={text}: too little for any Job"))
            .hint("Give it 16Mi at least; 256Mi suits most.")),
        None => Err(wrong(format!("memory={text}: {text:?} is no size"))
            .hint("Write memory=256Mi, or memory=1G.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_read_and_written_alike() {
        for text in [
            "cpu=500m,memory=256Mi",
            "cpu=2",
            "cpu=0.5",
            "cpu=1.25",
            "memory=1G",
            "memory=1.5Gi",
            "memory=33554432",
        ] {
            assert_eq!(Resources::parse(text).expect(text).to_string(), text);
        }
        let spaced = Resources::parse(" memory = 1Gi , cpu = 1 ").expect("blanks");
        assert_eq!(spaced.to_string(), "cpu=1,memory=1Gi");
    }

    #[test]
    fn what_is_no_resource_is_refused() {
        for (text, message, hint) in [
            ("", "no resource", "cpu=500m"),
            ("cpu", "no resource", "cpu=500m"),
            ("cpu=1,", "no resource", "cpu=500m"),
            ("cpus=1", "\"cpus\"", "mean cpu?"),
            ("disk=1Gi", "\"disk\"", "cpu=500m"),
            ("cpu=1,cpu=2", "twice", "Keep one"),
            ("cpu=", "no number", "half a core"),
            ("cpu=0", "no number", "half a core"),
            ("cpu=0m", "no number", "half a core"),
            ("cpu=-1", "no number", "half a core"),
            ("cpu=0.5m", "no number", "half a core"),
            ("cpu=1Gi", "no number", "half a core"),
            ("cpu=.5", "no number", "half a core"),
            ("cpu=1e3", "no number", "half a core"),
            ("memory=256", "too little", "16Mi"),
            ("memory=1Mi", "too little", "16Mi"),
            ("memory=0", "too little", "16Mi"),
            ("memory=256m", "no size", "256Mi"),
            ("memory=256MB", "no size", "256Mi"),
            ("memory=256mi", "no size", "256Mi"),
            ("memory=lots", "no size", "256Mi"),
            ("memory=-1Gi", "no size", "256Mi"),
        ] {
            let error = Resources::parse(text).expect_err(text);
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(error.to_string().contains(message), "{text}: {error}");
            let advice = error.advice().unwrap_or_default();
            assert!(advice.contains(hint), "{text}: {advice}");
        }
    }

    #[test]
    fn each_resource_falls_back_alone() {
        let own = Resources::parse("cpu=1").expect("fits");
        let usual = Resources::parse("cpu=2,memory=1Gi").expect("fits");
        assert_eq!(own.or(&usual).to_string(), "cpu=1,memory=1Gi");
    }
}

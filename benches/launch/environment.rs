//! The whole environments of the launched programs, so that the environment of the
//! benchmark does not count.

#[path = "../../tests/testenv/environment.rs"]
mod variables;

use variables::VARIABLES;

/// The variables: names and values.
pub type Environment = Vec<(String, String)>;

/// The small environment of a Node container.
pub fn small() -> Environment {
    VARIABLES
        .map(|(name, value)| (name.into(), value.into()))
        .into()
}

/// [`small`] and `count` more variables of `size` bytes each, counted as the
/// kernel does: with the name, the equals sign and the NUL.
pub fn large(count: usize, size: usize) -> Environment {
    let mut environment = small();
    environment.extend((0..count).map(|index| {
        let name = format!("VARIABLE_{index:06}");
        let value = "x".repeat(size - name.len() - "=\0".len());
        (name, value)
    }));
    environment
}

/// [`small`] with another PATH.
pub fn with_path(path: &str) -> Environment {
    let mut environment = small();
    for (name, value) in &mut environment {
        if name == "PATH" {
            path.clone_into(value);
        }
    }
    environment
}

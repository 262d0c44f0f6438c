//! What forms and records about a person have in common: fields by their names, and that none of it reaches
//! a log (45 CFR 164.502(b)).

/// A form of texts: a struct with its fields, each with the letters it may have.
macro_rules! fields {
    (
        $(#[$of:meta])*
        $form:ident {
            $($name:ident: $max:literal, $about:literal;)*
            $(.. $(#[$also:meta])* $more:ident: $kind:ty)?
        }
    ) => {
        $(#[$of])*
        #[derive(Clone, Default, PartialEq, Eq)]
        pub struct $form {
            $(#[doc = $about] pub $name: String,)*
            $($(#[$also])* pub $more: $kind,)?
        }

        impl $form {
            /// The fields, each with the letters it may have.
            pub const FIELDS: &[(&str, usize)] = &[$((stringify!($name), $max)),*];

            /// A field by its name.
            pub fn get(&self, name: &str) -> &str {
                match name { $(stringify!($name) => &self.$name,)* _ => "" }
            }

            /// Sets a field by its name.
            pub fn set(&mut self, name: &str, value: &str) {
                match name { $(stringify!($name) => value.clone_into(&mut self.$name),)* _ => {} }
            }
        }

        hidden!($form);
    };
}

/// What is about a person prints its name and nothing else.
macro_rules! hidden {
    ($($name:ident),*) => {$(
        /// It is about a person.
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(‹phi›)"))
            }
        }
    )*};
}

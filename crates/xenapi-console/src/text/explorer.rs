//! Learning the API.

super::texts! {
    // Entries of forms
    EntryMissing = "Something has to be entered here",
    EntryNotInt = "This is not a whole number",
    EntryNotFloat = "This is not a number",
    EntryNotBool = "This is neither true nor false",
    EntryNotTime = "This is not a time like 20260131T10:20:30Z",
    EntryNotOneOf = "“{0}” is not one of the words of this enumeration",
    EntryNoSuchObject = "No object of the class {0} has this name or uuid",
    EntryAmbiguous = "Several objects of the class {0} have this name; give the uuid",
    EntryNotPair = "“{0}” is not of the form key = value",
    EntryNotJson = "This is not JSON: {0}",
    EntryNotOfType = "This is not of the type {0}",

    // The way of a call
    StepTransport = "Connect",
    StepTransportNote = "Calls are HTTP POST requests, over HTTPS from afar. Check the host's certificate, or its fingerprint.",
    StepLogin = "Log in",
    StepLoginNote = "The answer is a reference to a session, which every further call takes first. The last argument says who is calling; the pool limits and logs sessions by it.",
    StepFind = "Find the object",
    StepFindNote = "Calls take references, which are not lasting: what lasts is the uuid. So a program keeps uuids and asks for the reference.",
    StepCall = "Call",
    StepCallNote = "The answer comes when the work is done; the connection waits that long. A refusal has a code and parameters.",
    StepCallLooksNote = "This only looks, so it may be repeated whenever an answer is lost.",
    StepCallTask = "Call as a task",
    StepCallTaskNote = "The answer comes at once: a reference to a task that goes on in the pool, even if the connection breaks.",
    StepFollow = "Follow the task",
    StepFollowNote = "Wait for its events rather than asking again and again. It ends as success with a result, as failure with the code and parameters of a refusal, or cancelled.",
    StepTaskEnd = "Remove the task",
    StepTaskEndNote = "Whoever started a task removes it. Otherwise it stays until the pool forgets it after a day.",
    StepLogout = "Log out",
    StepLogoutNote = "Sessions that are left behind live on until they have been idle for a day, and the pool holds only a limited number of them.",
}

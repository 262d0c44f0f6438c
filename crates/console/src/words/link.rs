//! The words of the page behind a reminder's link: read by patients, on a phone, once.

words! {
    LINK_TITLE: "Your appointment", "Su cita";
    LINK_CONFIRMED: "You have said that you will come. Thank you.", "Usted ha confirmado que vendrá. Gracias.";
    LINK_CANCELLED: "This appointment is cancelled. To make another, call the clinic.", "Esta cita está cancelada. Para pedir otra, llame a la clínica.";
    LINK_CLOSED: "This appointment can no longer be changed here. Call the clinic.", "Esta cita ya no se puede cambiar aquí. Llame a la clínica.";
    LINK_ASK: "Will you come?", "¿Vendrá usted?";
    LINK_CONFIRM: "Yes, I will come", "Sí, vendré";
    LINK_CANNOT: "I cannot come", "No puedo ir";
    LINK_CANCEL_SAY: "Somebody else will get this time. This cannot be taken back here.", "Otra persona recibirá esta hora. Aquí no se puede deshacer.";
    LINK_CANCEL: "Cancel my appointment", "Cancelar mi cita";
    LINK_STOP_ASK: "Do you want no more reminders?", "¿No quiere más recordatorios?";
    LINK_STOP: "Send me no more reminders", "No enviarme más recordatorios";
    LINK_STOPPED: "You will get no more reminders. To change that, tell the clinic.", "No recibirá más recordatorios. Para cambiarlo, avise a la clínica.";
    LINK_OFFER: "A free time", "Una hora libre";
    LINK_OFFER_ASK: "Do you want this time? The first who says yes has it.", "¿Quiere esta hora? Es de quien primero diga que sí.";
    LINK_OFFER_UNTIL: "It is offered to you until {}.", "Se le ofrece hasta: {}.";
    LINK_OFFER_INSTEAD: "With a yes your later appointment is cancelled, and somebody else gets its time.", "Si dice que sí, su cita posterior se cancela y otra persona recibe esa hora.";
    LINK_OFFER_LATER: "Your own appointment is earlier than this time by now. You keep it.", "Su cita ya es anterior a esta hora. La conserva.";
    LINK_OFFER_OTHER: "You have another appointment at this time. To take this one, call the clinic first.", "Tiene otra cita a esta hora. Para aceptar esta, llame antes a la clínica.";
    LINK_OFFER_YES: "Yes, I take it", "Sí, la quiero";
    LINK_OFFER_NO: "No, thank you", "No, gracias";
    LINK_OFFER_YOURS: "The time is yours. If you cannot come, call the clinic.", "La hora es suya. Si no puede venir, llame a la clínica.";
    LINK_OFFER_DECLINED: "You said no. You stay on the waiting list.", "Dijo que no. Sigue en la lista de espera.";
    LINK_OFFER_GONE: "This time is gone. You stay on the waiting list, and later times are offered to you.", "Esta hora ya no está libre. Usted sigue en la lista de espera y se le ofrecerán otras.";
    LINK_OVER: "This link is over", "Este enlace ya no es válido";
    LINK_OVER_SAY: "It ends when the visit does. If you have a question, call the clinic.", "Termina con la visita. Si tiene alguna pregunta, llame a la clínica.";
    LINK_FAILED: "That did not work", "No se ha podido hacer";
    LINK_FAILED_SAY: "Nothing was changed. Open the link of your message again, or call the clinic.", "No se ha cambiado nada. Abra de nuevo el enlace de su mensaje o llame a la clínica.";
}

// Something was done, and can be undone for a while. It takes no focus; the pointer or the focus holds it.
import QtQuick
import Paluku
import PalukuApp

Item {
    id: toast

    required property Notices notices

    visible: notices.toastText.length > 0
    width: Math.min(content.implicitWidth + Theme.s16 + Theme.s8, parent ? parent.width - 2 * Theme.s8 : 0)
    height: Math.max(content.implicitHeight, Theme.hit) + 2 * Theme.s4
    Accessible.role: Accessible.AlertMessage
    Accessible.name: notices.toastText

    Surface {
        anchors.fill: parent
        level: 2
    }
    HoverHandler {
        id: hover
    }
    Binding {
        target: toast.notices
        property: "toastHeld"
        value: hover.hovered || undo.activeFocus
    }
    Row {
        id: content

        x: Theme.s16
        anchors.verticalCenter: parent.verticalCenter
        spacing: Theme.s8

        UiText {
            anchors.verticalCenter: parent.verticalCenter
            width: Math.min(implicitWidth, (toast.parent ? toast.parent.width : 0) - undo.width - Theme.s48)
            elide: Text.ElideRight
            text: toast.notices.toastText
        }
        Button {
            id: undo

            anchors.verticalCenter: parent.verticalCenter
            visible: toast.notices.toastHasUndo
            kind: Button.Plain
            text: qsTr("Undo")
            onClicked: toast.notices.undo()
        }
    }
}

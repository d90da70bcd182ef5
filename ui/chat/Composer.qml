// Where one writes. It grows with the text up to a share of the window, sends with Enter, and its one
// round button is Send or Stop in the same place.
pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Templates as T
import Paluku
import PalukuApp

FocusScope {
    id: composer

    required property AppController app
    required property real mostHeight
    readonly property ChatController chat: app.chat
    readonly property bool enterSends: app.settings.enterSends
    signal modelsWanted()
    signal addWanted()

    implicitHeight: scroll.height + tools.height + Theme.s12 + Theme.s8

    function openPicker(): void {
        picker.open();
    }
    function submit(): void {
        Qt.inputMethod.commit(); // qmllint disable
        chat.send();
    }
    function handleEnter(event: KeyEvent): void {
        const plain = !(event.modifiers & (Qt.ShiftModifier | Qt.ControlModifier));
        const sends = !edit.inputMethodComposing && (plain ? enterSends : event.modifiers & Qt.ControlModifier);
        event.accepted = sends || edit.inputMethodComposing;
        if (sends)
            submit();
    }

    Surface {
        anchors.fill: parent
        level: 1
        radius: Theme.radiusPanel
        borderColor: edit.activeFocus ? Theme.indigo : Theme.edge
        borderWidth: edit.activeFocus ? Theme.stroke : Theme.hairline
    }
    Flickable {
        id: scroll

        x: Theme.s16
        y: Theme.s12 - Theme.documentRise
        width: parent.width - 2 * Theme.s16
        height: Math.min(Math.max(edit.implicitHeight, Theme.body.line), composer.mostHeight)
        contentWidth: width
        clip: true
        boundsBehavior: Flickable.StopAtBounds
        T.ScrollBar.vertical: ScrollBar {}

        T.TextArea.flickable: T.TextArea {
            id: edit

            focus: true
            padding: 0
            bottomPadding: Theme.s4
            textFormat: TextEdit.PlainText
            wrapMode: TextEdit.Wrap
            selectByMouse: true
            persistentSelection: true
            readOnly: composer.chat.inputLocked
            color: Theme.ink
            selectionColor: Theme.selBg
            selectedTextColor: Theme.selInk
            font.family: Theme.body.family
            font.pixelSize: Theme.body.size
            font.hintingPreference: Font.PreferNoHinting
            KeyNavigation.priority: KeyNavigation.BeforeItem
            KeyNavigation.tab: model
            Accessible.name: composer.chat.placeholder
            Accessible.multiLine: true
            Keys.onReturnPressed: event => composer.handleEnter(event)
            Keys.onEnterPressed: event => composer.handleEnter(event)
            Keys.onPressed: event => {
                if (event.matches(StandardKey.Undo) && !edit.canUndo && composer.app.notices.canUndo) {
                    event.accepted = true;
                    composer.app.notices.undo();
                } else if (event.matches(StandardKey.Paste)) {
                    event.accepted = !composer.chat.pasteFits(edit.length - (edit.selectionEnd - edit.selectionStart));
                } else {
                    event.accepted = false;
                }
            }
            onTextChanged: composer.chat.draft = text
            Component.onCompleted: text = composer.chat.draft

            cursorDelegate: Rectangle {
                visible: edit.cursorVisible
                width: Theme.stroke
                color: Theme.indigo
            }
            readonly property TextStyler styler: TextStyler {
                document: edit.textDocument
                lineHeight: Theme.body.line
            }
        }
    }
    UiText {
        x: scroll.x + Theme.stroke
        y: scroll.y + Theme.body.editBaseline - Theme.body.textBaseline
        width: scroll.width
        visible: edit.length === 0 && edit.preeditText.length === 0
        elide: Text.ElideRight
        role: Theme.body
        color: Theme.ink3
        text: composer.chat.placeholder
        Accessible.ignored: true
    }
    Item {
        id: tools

        x: Theme.s8
        anchors.bottom: parent.bottom
        anchors.bottomMargin: Theme.s8
        width: parent.width - 2 * Theme.s8
        height: Theme.send + Theme.s8

        ModelButton {
            id: model

            anchors.bottom: parent.bottom
            width: Math.min(implicitWidth, send.x - Theme.s8)
            text: composer.chat.modelFullName
            opened: picker.visible
            onClicked: composer.openPicker()
        }
        SendButton {
            id: send

            anchors.right: parent.right
            anchors.bottom: parent.bottom
            stops: composer.chat.busy
            ready: composer.chat.canSend
            onClicked: stops ? composer.chat.stop() : composer.submit()
        }
    }
    ModelPicker {
        id: picker

        library: composer.app.library
        y: -height - Theme.s8
        onModelsWanted: composer.modelsWanted()
        onAddWanted: composer.addWanted()
    }
    Connections {
        target: composer.chat

        function onDraftChanged(): void {
            if (edit.text === composer.chat.draft)
                return;
            // What was just inserted may be taken back: then the cursor stands where it was.
            const place = edit.cursorPosition - (edit.length - composer.chat.draft.length);
            edit.text = composer.chat.draft;
            edit.cursorPosition = Math.max(0, Math.min(place, edit.length));
        }
        function onModelWanted(): void {
            composer.openPicker();
        }
    }
}
